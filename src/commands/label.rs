//! `retinamark label`: landmarks for faces that have a box.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::looks::{self, Looks};
use super::sources;
use crate::cli::{LabelArgs, SecondLookArgs};
use crate::config::{Config, OnError, SourceConfig};
use crate::data::{Dataset, FaceLabel, Sample, is_list, wflw_line};
use crate::geometry::{Face, Scheme, best_pairs};
use crate::infer::{DetectOptions, InputSize, Predictor};
use crate::metrics::JointOptions;
use crate::model::weights;
use crate::{console, fs, interrupt};

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
    fs::check_parent(&args.out)?;
    let labeller = Labeller::new(&args)?;
    let mut config = labeller.config.clone();
    if args.skip_errors {
        config.data.on_error = OnError::Skip;
    }
    let dataset = Dataset::load(&sources(&args, &config)?, &config)?;
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
    console::note(&dataset.report);
    if dataset.left_out().total() > 0 {
        console::note(dataset.left_out());
    }
    Ok(ExitCode::SUCCESS)
}

/// The lists of the command line, or those that the settings train on.
fn sources(args: &LabelArgs, config: &Config) -> Result<Vec<SourceConfig>> {
    let sources = sources::or_training(&args.data, config)?;
    for source in &sources {
        ensure!(
            is_list(source.kind) && source.images == sources[0].images,
            "the photos of all lists must lie in one folder, since a WFLW list has only one; {} has \
             another (label it by itself; photos with a file of points each have landmarks already)",
            source.list.display()
        );
    }
    Ok(sources)
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
    config: Config,
    options: DetectOptions,
    all: bool,
    min_face: f32,
    max_disagreement: f32,
}

impl Labeller {
    fn new(args: &LabelArgs) -> Result<Self> {
        let file = weights::find(args.weights.as_deref())?;
        let compute = args.compute.compute()?;
        let second = SecondLookArgs {
            aligner: args.aligner.clone(),
            ..SecondLookArgs::default()
        };
        let Looks { predictor, config } = looks::load(&file, &second, &args.settings, compute)?;
        ensure!(
            predictor.looks_again() && predictor.finds_faces(),
            "labelling takes a detector and an aligner, and {} holds one of them only; name the \
             aligner's file with --aligner",
            file.display()
        );
        ensure!(
            *predictor.scheme() == Scheme::wflw98(),
            "a WFLW list has the points of the scheme wflw98, these weights give {}",
            predictor.scheme().name()
        );
        let detect = &config.detect;
        let mut options = DetectOptions::from(detect).with_score(detect.joint_score);
        options.size = args.size.map_or(options.size, InputSize::Fixed);
        Ok(Self {
            predictor,
            config,
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
        let pairs = pair(&sample.faces, &detections);
        for (face, found) in sample.faces.iter().zip(pairs) {
            if !wanted(&face) {
                continue;
            }
            let Some(detection) = found.map(|i| &detections[i]) else {
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

/// The detection of each face that is not ignored.
fn pair(faces: &[FaceLabel], detections: &[Face]) -> Vec<Option<usize>> {
    let lowest = JointOptions::default().iou;
    best_pairs(faces.len(), detections.len(), lowest, |f, d| {
        match faces[f].ignored {
            true => 0.0,
            false => faces[f].box_xyxy.iou(&detections[d].box_xyxy),
        }
    })
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
    console::say(format!(
        "{}: {} faces labelled; {} left out because the looks disagree, {} because the detector \
         does not find them",
        out.display(),
        sum(|l| l.written),
        sum(|l| l.unsure),
        sum(|l| l.not_found)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_detection_serves_one_face() {
        let face = |x: f32| FaceLabel::boxed([x, 0.0, x + 10.0, 10.0].into());
        let found = |x: f32| Face {
            box_xyxy: [x, 0.0, x + 10.0, 10.0].into(),
            score: 0.9,
            landmarks: Vec::new(),
            landmark_scores: None,
            pose: None,
        };
        let mut ignored = face(100.0);
        ignored.ignored = true;
        // The second face is nearer to the only detection between the two.
        let faces = [face(0.0), face(3.0), ignored, face(50.0)];
        let pairs = pair(&faces, &[found(2.5), found(100.0), found(51.0)]);
        assert_eq!(pairs, [None, Some(0), None, Some(2)]);
    }
}
