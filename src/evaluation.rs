//! Running a predictor over labelled photos.

use anyhow::Result;
use rayon::prelude::*;

use crate::config::DetectConfig;
use crate::data::Dataset;
use crate::geometry::{Face, Letterbox};
use crate::infer::{DetectOptions, InputSize, Predictor};
use crate::metrics::{Evaluator, JointOptions, Measured, Options, Report, Truth};

/// What a predictor makes of a dataset.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// Each true face with landmarks: index of its photo and what became of it.
    pub faces: Vec<(usize, Measured)>,
    /// The detections in each photo, in the order of the dataset.
    pub detections: Vec<Vec<Face>>,
    /// Joint errors of all faces, for the CED.
    pub errors: Vec<f64>,
}

/// Detect in all photos of `dataset` in parallel, from `config.evaluate_score` on, and measure.
/// Photos that cannot be read follow the dataset's `on_error`.
///
/// # Errors
/// When a photo cannot be read or the device fails.
pub fn run(predictor: &Predictor, dataset: &Dataset, config: &DetectConfig) -> Result<Outcome> {
    let options = DetectOptions {
        score: config.evaluate_score,
        ..DetectOptions::from(config)
    };
    let found: Vec<(Vec<Face>, f32)> = (0..dataset.samples.len())
        .into_par_iter()
        .map(|index| {
            let photo = dataset.decode(index)?;
            let scale = match options.size {
                InputSize::Fixed(side) => {
                    Letterbox::square(photo.width(), photo.height(), side).scale
                }
                InputSize::Full => 1.0,
            };
            Ok((predictor.detect(&photo, &options)?, scale))
        })
        .collect::<Result<_>>()?;
    let joint = JointOptions {
        score: config.joint_score,
        ..JointOptions::default()
    };
    let options = Options {
        joint,
        ..Options::default()
    };
    let mut evaluator = Evaluator::new(predictor.scheme(), options);
    let mut faces = Vec::new();
    for (index, (sample, (detections, scale))) in dataset.samples.iter().zip(&found).enumerate() {
        let truth = Truth {
            faces: &sample.faces,
            complete: sample.complete,
            scale: *scale,
            subsets: &[],
        };
        let measured = evaluator.add(truth, detections);
        faces.extend(measured.into_iter().map(|m| (index, m)));
    }
    Ok(Outcome {
        report: evaluator.finish(),
        faces,
        detections: found.into_iter().map(|(faces, _)| faces).collect(),
        errors: evaluator.errors().collect(),
    })
}
