//! `retinamark label`: landmarks for faces that have a box.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::sources;
use crate::cli::LabelArgs;
use crate::config::OnError;
use crate::data::{Dataset, FaceLabel, Sample, wflw_line};
use crate::geometry::{Face, Scheme};
use crate::infer::{DetectOptions, InputSize, Predictor};
use crate::metrics::JointOptions;
use crate::metrics::alignment::best_detection;
use crate::model::weights;
use crate::{device, fs, interrupt};

/// Run the subcommand.
///
/// # Errors
/// On unusable arguments, weights or lists, a photo that cannot be decoded (without
/// `--skip-errors`), Ctrl-C (nothing is written then), and a list that cannot be written.
pub fn run(args: LabelArgs) -> Result<ExitCode> {
    let beside = disagreement_file(&args.out);
    for file in [&args.out, &beside] {
        ensure!(
            args.force || !file.exists(),
            "{} exists already: choose another --out, or replace it with --force",
            file.display()
        );
    }
    let labeller = Labeller::new(&args)?;
    let mut config = labeller.predictor.config().clone();
    config.data.on_error = if args.skip_errors {
        OnError::Skip
    } else {
        OnError::Fail
    };
    let sources = args.data.iter().map(|text| sources::parse(text));
    let dataset = Dataset::load(&sources.collect::<Result<Vec<_>>>()?, &config)?;
    interrupt::listen()?;
    let bar = ProgressBar::new(dataset.samples.len() as u64);
    let indices = (0..dataset.samples.len()).into_par_iter();
    let labelled = indices.map(|index| {
        ensure!(!interrupt::requested(), "stopped; no list was written");
        let found = labeller.photo(&dataset, index);
        bar.inc(1);
        found
    });
    let labelled: Vec<Labelled> = labelled.collect::<Result<_>>()?;
    bar.finish_and_clear();
    write(&args.out, labelled.iter().map(|l| l.lines.as_str()))?;
    write(&beside, labelled.iter().map(|l| l.disagreements.as_str()))?;
    summarise(&labelled, &args.out);
    eprint!("{}", dataset.report);
    if dataset.left_out().total() > 0 {
        eprint!("{}", dataset.left_out());
    }
    Ok(ExitCode::SUCCESS)
}

fn disagreement_file(out: &Path) -> PathBuf {
    let mut name = OsString::from(out);
    name.push(".disagreement");
    name.into()
}

/// What became of the faces of a photo.
#[derive(Debug, Default)]
struct Labelled {
    lines: String,
    disagreements: String,
    written: usize,
    not_found: usize,
    unsure: usize,
}

struct Labeller {
    predictor: Predictor,
    options: DetectOptions,
    all: bool,
    min_face: f32,
    max_disagreement: f32,
}

impl Labeller {
    fn new(args: &LabelArgs) -> Result<Self> {
        let file = weights::find(args.weights.as_deref())?;
        let device = device::by_name(&args.device)?;
        let predictor = Predictor::load_pair(&file, args.aligner.as_deref(), &device)?;
        ensure!(
            predictor.align_options().is_some() && predictor.finds_faces(),
            "labelling takes a detector and an aligner, and {} holds one of them only; name the \
             aligner's file with --aligner",
            file.display()
        );
        ensure!(
            *predictor.scheme() == Scheme::wflw98(),
            "a WFLW list has the points of the scheme wflw98, these weights give {}",
            predictor.scheme().name()
        );
        let detect = &predictor.config().detect;
        let mut options = DetectOptions::from(detect).with_score(detect.joint_score);
        options.size = args.size.map_or(options.size, InputSize::Fixed);
        Ok(Self {
            predictor,
            options,
            all: args.all,
            min_face: args.min_face,
            max_disagreement: args.max_disagreement,
        })
    }

    /// Label the faces of a photo; none of a broken one that the data set leaves out.
    fn photo(&self, dataset: &Dataset, index: usize) -> Result<Labelled> {
        let mut labelled = Labelled::default();
        let sample = &dataset.samples[index];
        let wanted = |face: &&FaceLabel| {
            let large = face.box_xyxy.has_size() && face.box_xyxy.side() >= self.min_face;
            !face.ignored && large && (self.all || !face.has_landmarks())
        };
        if !sample.faces.iter().any(|face| wanted(&face)) {
            return Ok(labelled);
        }
        let photo = match dataset.decode(index) {
            Ok(photo) => photo,
            Err(error) => return dataset.leave_out(index, error).map(|()| labelled),
        };
        let detections = self.predictor.detect(&photo, &self.options)?;
        for face in sample.faces.iter().filter(wanted) {
            let detection = best_detection(face, &detections, JointOptions::default());
            let Some(detection) = detection.map(|i| &detections[i]) else {
                labelled.not_found += 1;
                continue;
            };
            let found = self.predictor.consensus(&photo, detection)?;
            match found.filter(|c| c.spread <= self.max_disagreement) {
                Some(consensus) => {
                    let points = Face {
                        landmarks: consensus.landmarks,
                        ..detection.clone()
                    };
                    labelled.push(sample, face, &points, consensus.spread);
                }
                None => labelled.unsure += 1,
            }
        }
        Ok(labelled)
    }
}

impl Labelled {
    fn push(&mut self, sample: &Sample, label: &FaceLabel, face: &Face, spread: f32) {
        let attributes = label.attributes.unwrap_or_default();
        let line = wflw_line(&face.landmarks, &label.box_xyxy, attributes, &sample.name);
        self.lines.push_str(&line);
        self.disagreements.push_str(&format!("{spread:.4}\n"));
        self.written += 1;
    }
}

fn write<'a>(path: &Path, mut parts: impl Iterator<Item = &'a str>) -> Result<()> {
    fs::write_atomic(path, |file| {
        parts.try_for_each(|part| Ok(file.write_all(part.as_bytes())?))
    })
}

fn summarise(labelled: &[Labelled], out: &Path) {
    let sum = |of: fn(&Labelled) -> usize| labelled.iter().map(of).sum::<usize>();
    println!(
        "{}: {} faces labelled; {} left out because the looks disagree, {} because the detector \
         does not find them",
        out.display(),
        sum(|l| l.written),
        sum(|l| l.unsure),
        sum(|l| l.not_found)
    );
}
