//! What the confidences of landmarks are worth, from labelled faces.

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;

use crate::commands::sources;
use crate::console;
use crate::data::Dataset;
use crate::evaluation::{self, Boxes, Settings};
use crate::infer::Predictor;
use crate::model::weights::Networks;

/// Under which the notes of an aligner say where its confidences come from.
const NOTE: &str = "confidence";

/// The networks with confidences of the last aligner as they were met on the faces of `list`, which
/// is looked at in the bounds of the true landmarks.
///
/// # Errors
/// When there is no aligner that tells confidences, the list or one of its photos cannot be read, or its
/// faces do not tell: none has landmarks, or all points are close to the truth, or none is.
pub fn measured(mut networks: Networks, list: &str) -> Result<Networks> {
    let source = sources::parse(list).context("--confidence")?;
    let predictor = Predictor::of_networks(&networks, &Device::flex())?;
    let dataset = Dataset::load(&[source], &networks.header.config)?;
    let settings = Settings {
        boxes: Boxes::Truth,
        ..Settings::from(&networks.header.config.detect)
    };
    let outcome = evaluation::run_with(&predictor, &dataset, &settings, &|| Ok(()))?;
    let confidence = outcome.report.confidence;
    let line = confidence.and_then(|report| report.recalibration);
    let line = line.with_context(|| {
        format!(
            "--confidence {list}: its faces do not tell what confidences are worth, or the aligner gives \
             none"
        )
    })?;
    let aligners = networks.header.aligners_mut();
    let (config, notes) = aligners
        .into_iter()
        .next_back()
        .context("--confidence: these weights hold no aligner")?;
    let confidence = &mut config.aligner.confidence;
    *confidence = confidence.through(line.map(|v| v as f32));
    ensure!(
        confidence.slope > 0.0,
        "--confidence {list}: the aligner is surer of points that are farther off; its confidences are worth \
         nothing"
    );
    let summary = format!(
        "a half at a scale of {:.4} of the face, slope {:.3}, from {} faces",
        confidence.half_at,
        confidence.slope,
        outcome.faces.len()
    );
    console::say(format!("confidence: {summary}"));
    notes.insert(NOTE.into(), summary);
    Ok(networks)
}
