//! `retinamark extract`: crops of labelled faces.

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::looks::{self, Looks};
use super::sources;
use crate::cli::{ExtractArgs, PointFile, SecondLookArgs, SettingsArgs};
use crate::config::OnError;
use crate::data::{CropRange, Dataset};
use crate::extract::{self, Fate, Folder, Options, Part};
use crate::infer::{DetectOptions, InputSize, Predictor};
use crate::model::weights;
use crate::{console, interrupt};

/// Run the subcommand.
///
/// # Errors
/// On unusable arguments, weights or lists, a photo that cannot be decoded (without
/// `--skip-errors`), Ctrl-C and no face found (no list is written then), and files that cannot be
/// written.
pub fn run(args: ExtractArgs) -> Result<ExitCode> {
    let mut config = args.settings.load()?;
    if args.skip_errors {
        config.data.on_error = OnError::Skip;
    }
    let dataset = Dataset::load(&sources::or_training(&args.data, &config)?, &config)?;
    let extractor = Extractor::new(&args)?;
    let parts = parts(&dataset, &extractor.options);
    interrupt::listen()?;
    let folder = Folder::take(&args.out, args.force)?;
    let bar = ProgressBar::new(parts.iter().flatten().count() as u64);
    let photos = parts.par_iter().enumerate();
    let cut = photos.filter_map(|(index, part)| Some((index, (*part)?)));
    let cut = cut.map(|(index, part)| {
        ensure!(
            !interrupt::requested(),
            "stopped; no list was written, the same call begins anew"
        );
        let cut = extractor.photo(&dataset, index, part, &folder);
        bar.inc(1);
        cut
    });
    let cut: Vec<Cut> = cut.collect::<Result<_>>()?;
    bar.finish_and_clear();
    finish(&folder, &cut)?;
    console::note(&dataset.report);
    if dataset.left_out().total() > 0 {
        console::note(dataset.left_out());
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings without those that say which landmarks the crops have: the detector has its own.
fn of_detector(settings: &SettingsArgs) -> SettingsArgs {
    let mut settings = settings.clone();
    settings
        .sets
        .retain(|set| !set.trim_start().starts_with("landmarks."));
    settings
}

/// The part of each sample; those of one photo have the same.
fn parts(dataset: &Dataset, options: &Options) -> Vec<Option<Part>> {
    let mut known = HashMap::new();
    let photos: Vec<usize> = (dataset.samples.iter())
        .map(|sample| {
            let path = sample.path.canonicalize();
            let next = known.len();
            *known
                .entry(path.unwrap_or_else(|_| sample.path.clone()))
                .or_insert(next)
        })
        .collect();
    let parts = options.parts(known.len());
    photos.into_iter().map(|photo| parts[photo]).collect()
}

/// What became of the faces of a photo.
#[derive(Debug)]
struct Cut {
    part: Part,
    /// Its lines in the list.
    lines: Vec<String>,
    fates: Vec<Fate>,
}

struct Extractor {
    predictor: Predictor,
    detect: DetectOptions,
    options: Options,
}

impl Extractor {
    fn new(args: &ExtractArgs) -> Result<Self> {
        let file = weights::find(args.weights.as_deref())?;
        let compute = args.compute.compute()?;
        let settings = of_detector(&args.settings);
        let looks = looks::load(&file, &SecondLookArgs::default(), &settings, compute)?;
        let Looks { predictor, config } = looks;
        ensure!(
            predictor.finds_faces(),
            "{} holds an aligner only; crops are cut where a detector finds faces",
            file.display()
        );
        // What a lower score finds is told apart from what nothing finds.
        let lowest = args.score.min(config.detect.joint_score);
        let mut detect = DetectOptions::from(&config.detect).with_score(lowest);
        detect.size = args.size.map_or(detect.size, InputSize::Fixed);
        let range = |file: &PointFile| match file {
            PointFile::Npts => CropRange::Unit,
            PointFile::Cpts => CropRange::Centred,
        };
        Ok(Self {
            predictor: predictor.one_pass(),
            detect,
            options: Options {
                score: args.score,
                overlap: args.overlap,
                extension: args.extend,
                rotation: args.rotation,
                jitter: args.jitter,
                share: args.share,
                validation: args.split,
                side: args.crop_size,
                ranges: args.save.iter().map(range).collect(),
                seed: args.seed,
            },
        })
    }

    /// Cut out the faces of a photo; none of a broken one that the data set leaves out.
    fn photo(&self, dataset: &Dataset, index: usize, part: Part, folder: &Folder) -> Result<Cut> {
        let sample = &dataset.samples[index];
        let mut cut = Cut {
            part,
            lines: Vec::new(),
            fates: Vec::new(),
        };
        if !sample.faces.iter().any(extract::can_be_cut) {
            cut.fates = vec![Fate::Unlabelled; sample.faces.len()];
            return Ok(cut);
        }
        let photo = match dataset.decode(index) {
            Ok(photo) => photo,
            Err(error) => return dataset.leave_out(index, error).map(|()| cut),
        };
        let detections = self.predictor.detect(&photo, &self.detect)?;
        let mut rng = self.options.photo_rng(index);
        let stem = sample
            .path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        cut.fates = self.options.fates(&sample.faces, &detections);
        for (i, (face, fate)) in sample.faces.iter().zip(&cut.fates).enumerate() {
            let Fate::Found(d) = *fate else { continue };
            let square = self.options.square(&detections[d].box_xyxy, &mut rng);
            let (picture, label) = self.options.cut(&photo, face, &square)?;
            let name = format!("{index:06}_{stem}.face{i}");
            cut.lines
                .push(folder.crop(part, &name, &picture, &label, &self.options)?);
        }
        Ok(cut)
    }
}

/// Write the lists and say what became of the faces.
fn finish(folder: &Folder, cut: &[Cut]) -> Result<()> {
    let mut written = 0;
    for part in Part::ALL {
        let photos = || cut.iter().filter(|c| c.part == part);
        let lines: Vec<String> = photos().flat_map(|c| c.lines.clone()).collect();
        folder.finish(part, &lines)?;
        written += lines.len();
        if !lines.is_empty() {
            let (list, crops) = (folder.list(part), lines.len());
            let photos = photos().filter(|c| !c.lines.is_empty()).count();
            console::say(format!(
                "{}: {crops} crops of {photos} photos",
                list.display()
            ));
        }
    }
    let count = |fate| {
        cut.iter()
            .flat_map(|c| &c.fates)
            .filter(|&&f| f == fate)
            .count()
    };
    console::say(format!(
        "{} photos: {written} faces found, {} missed; rejected: {} whose detection overlaps too little, {} \
         whose detection has too low a score; without points: {}",
        cut.len(),
        count(Fate::Missed),
        count(Fate::LittleOverlap),
        count(Fate::LowScore),
        count(Fate::Unlabelled)
    ));
    ensure!(
        written > 0,
        "no crop was written; lower --score or --overlap, or look at other photos"
    );
    Ok(())
}
