//! Running a predictor over labelled photos: the joint protocol and the AP of
//! [`crate::metrics`], and what to look at afterwards (table, plot, mosaics).

mod boxes;
mod plot;
mod sheets;
mod subsets;
mod table;

use anyhow::Result;
use image::RgbImage;
use rayon::prelude::*;

use crate::config::DetectConfig;
use crate::data::{Dataset, Sample};
use crate::geometry::{Face, Letterbox};
use crate::infer::{DetectOptions, InputSize, Predictor};
use crate::metrics::{Evaluator, JointOptions, Options, Report, Truth};

pub use boxes::{Boxes, align_truths};
pub use plot::{Curve, ced_svg};
pub use sheets::{Sheet, Which, mosaic};
pub use subsets::Subsets;
pub use table::table;

/// Photos whose detections are in memory at the same time: an untrained network finds hundreds of
/// faces with all their points in each.
const CHUNK: usize = 64;

/// All figures, and the face by face results behind them.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// Every measured face, in the order of the data set.
    pub faces: Vec<FaceOutcome>,
}

impl Outcome {
    /// The error of every measured face in the joint protocol.
    pub fn errors(&self) -> Vec<f64> {
        self.faces.iter().map(|face| face.nme).collect()
    }
}

/// What is done after each photo; its error ends an evaluation.
pub type Done<'a> = dyn Fn() -> Result<()> + Sync + 'a;

/// What became of one true face with landmarks.
#[derive(Clone, Debug)]
pub struct FaceOutcome {
    /// Index of its photo in the data set.
    pub sample: usize,
    /// Index among the photo's faces.
    pub face: usize,
    /// The detection that stands for it; none when it was missed.
    pub detection: Option<Face>,
    /// Its error in the joint protocol.
    pub nme: f64,
}

/// How to look and how to count.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Longer side of the network input, pixels.
    pub size: u32,
    /// How the detector is run; its score is the lowest one the AP sees.
    pub detect: DetectOptions,
    /// How results are counted.
    pub options: Options,
    /// Truth subsets with an AP of their own.
    pub subsets: Subsets,
    /// Where the faces are.
    pub boxes: Boxes,
}

impl From<&DetectConfig> for Settings {
    fn from(config: &DetectConfig) -> Self {
        let mut detect = DetectOptions::from(config).with_score(config.evaluate_score);
        detect.size = InputSize::Fixed(config.size);
        let joint = JointOptions {
            score: config.joint_score,
            ..JointOptions::default()
        };
        Self {
            size: config.size,
            detect,
            options: Options {
                joint,
                ..Options::default()
            },
            subsets: Subsets::default(),
            boxes: Boxes::Detected,
        }
    }
}

/// Evaluate `predictor` on all photos of `dataset`, photos in parallel. The result does not
/// depend on the number of threads. An aligner alone is told where the faces are.
///
/// # Errors
/// On a photo that cannot be decoded (unless the data set skips bad ones), or when the device
/// fails.
pub fn run(predictor: &Predictor, dataset: &Dataset, config: &DetectConfig) -> Result<Outcome> {
    let mut settings = Settings::from(config);
    if !predictor.finds_faces() {
        settings.boxes = Boxes::Truth;
    }
    run_with(predictor, dataset, &settings, &|| Ok(()))
}

/// As [`run`], with all settings; `done` is called after each photo, from any thread.
///
/// # Errors
/// As [`run`], and the first one of `done`, which so ends it early.
pub fn run_with(
    predictor: &Predictor,
    dataset: &Dataset,
    settings: &Settings,
    done: &Done<'_>,
) -> Result<Outcome> {
    let mut options = settings.options.clone();
    options.subsets = settings.subsets.names();
    // The photos are labelled with the points that faces get in the end.
    let comparable = predictor.coarse_scheme() == predictor.scheme();
    let looks_twice = settings.boxes == Boxes::Detected && predictor.looks_again() && comparable;
    let mut first_look = looks_twice.then(|| Evaluator::new(predictor.scheme(), options.clone()));
    let mut evaluator = Evaluator::new(predictor.scheme(), options);
    let mut faces = Vec::new();
    let all: Vec<usize> = (0..dataset.samples.len()).collect();
    for chunk in all.chunks(CHUNK) {
        let look = |&index: &usize| {
            let found = look(predictor, dataset, index, settings);
            done()?;
            found
        };
        let found: Vec<Option<Seen>> = chunk.par_iter().map(look).collect::<Result<_>>()?;
        for (&sample, seen) in chunk.iter().zip(found) {
            if let Some(seen) = seen {
                let label = &dataset.samples[sample];
                if let Some(first_look) = &mut first_look {
                    let truth = Truth {
                        complete: false, // the AP is the same, and needs no second counting
                        ..truth(label, &seen, settings, &[])
                    };
                    first_look.add(truth, &seen.coarse);
                }
                count(&mut evaluator, &mut faces, sample, label, seen, settings);
            }
        }
    }
    let mut report = evaluator.finish();
    report.one_pass = first_look.and_then(|evaluator| evaluator.finish().alignment);
    Ok(Outcome { report, faces })
}

/// What was seen on a photo.
struct Seen {
    /// The detections.
    faces: Vec<Face>,
    /// Those of the first look.
    coarse: Vec<Face>,
    /// Network input pixels per photo pixel.
    scale: f32,
}

/// Detect on one photo; `None` when it is broken and the data set skips broken photos.
fn look(
    predictor: &Predictor,
    dataset: &Dataset,
    index: usize,
    settings: &Settings,
) -> Result<Option<Seen>> {
    let photo = match dataset.decode(index) {
        Ok(photo) => photo,
        Err(error) => return dataset.leave_out(index, error).map(|()| None),
    };
    let (width, height) = photo.dimensions();
    let scale = Letterbox::square(width, height, settings.size).scale;
    let labels = &dataset.samples[index].faces;
    let (faces, coarse) = match settings.boxes {
        Boxes::Detected => detect(predictor, &photo, settings)?,
        Boxes::Truth => (align_truths(predictor, &photo, labels)?, Vec::new()),
        Boxes::List => (boxes::align_listed(predictor, &photo, labels)?, Vec::new()),
    };
    Ok(Some(Seen {
        faces,
        coarse,
        scale,
    }))
}

/// The faces after all looks, and after the first.
fn detect(
    predictor: &Predictor,
    photo: &RgbImage,
    settings: &Settings,
) -> Result<(Vec<Face>, Vec<Face>)> {
    let input = predictor.prepare(photo, &settings.detect)?;
    let coarse = predictor.detect_prepared(input, &settings.detect)?;
    let mut coarse = predictor.look_closer(photo, coarse, &settings.detect)?;
    // Only what may stand for a truth needs its points.
    for face in &mut coarse {
        if face.score < settings.options.joint.score {
            face.landmarks = Vec::new();
        }
    }
    Ok((predictor.look_again(photo, coarse.clone())?, coarse))
}

fn truth<'a>(label: &'a Sample, seen: &Seen, settings: &Settings, subsets: &'a [u32]) -> Truth<'a> {
    Truth {
        faces: &label.faces,
        complete: label.complete && settings.boxes == Boxes::Detected,
        scale: seen.scale,
        subsets,
    }
}

fn count(
    evaluator: &mut Evaluator,
    faces: &mut Vec<FaceOutcome>,
    sample: usize,
    label: &Sample,
    seen: Seen,
    settings: &Settings,
) {
    let subsets = settings.subsets.of(label);
    for measured in evaluator.add(truth(label, &seen, settings, &subsets), &seen.faces) {
        faces.push(FaceOutcome {
            sample,
            face: measured.face,
            detection: measured.detection.map(|d| seen.faces[d].clone()),
            nme: measured.nme,
        });
    }
}
