//! What the results of a call depend on.

use std::path::Path;

use anyhow::{Context, Result};

use super::work::Outputs;
use crate::cli::DetectArgs;
use crate::commands::looks::Looks;
use crate::infer::{AlignOptions, DetectOptions, InputSize};
use crate::output::Settings;

/// Everything that the results depend on, by name, beside the photos.
///
/// # Errors
/// When a weights file cannot be read.
pub(super) fn of_results(
    args: &DetectArgs,
    weights: &Path,
    looks: &Looks,
    options: &DetectOptions,
) -> Result<Settings> {
    let mut settings = Settings::new();
    let mut add = |name: &str, value: String| settings.insert(name.to_owned(), value);
    add("weights", fingerprint(weights)?);
    add("size", size(options.size));
    add("second size", options.second_size.map_or_else(none, size));
    add("any angle", options.any_angle.to_string());
    add("score", options.score.to_string());
    add("nms", options.nms_iou.to_string());
    add("max-faces", options.max_faces.to_string());
    add("detect.top_k", options.top_k.to_string());
    add("detect.landmark_votes", options.landmark_votes.to_string());
    let aligners: Vec<&AlignOptions> = looks.predictor.align_options().collect();
    add("looks", (1 + aligners.len()).to_string());
    if let Some(first) = aligners.first() {
        let second = &args.look.second_look;
        let files = second.aligner.iter().chain(&second.detector);
        let files: Vec<String> = files.map(|file| fingerprint(file)).collect::<Result<_>>()?;
        let list = |of: fn(&AlignOptions) -> String| {
            let all: Vec<String> = aligners.iter().map(|options| of(options)).collect();
            all.join(", ")
        };
        add(
            "aligner",
            if files.is_empty() {
                none()
            } else {
                files.join("; ")
            },
        );
        add("passes", list(|options| options.passes.to_string()));
        add("flip", list(|options| options.flip.to_string()));
        add("aligner.min_score", first.min_score.to_string());
    }
    if let Some(side) = Outputs::new(args).crop {
        add("crop-size", side.to_string());
    }
    Ok(settings)
}

fn none() -> String {
    "none".into()
}

fn size(size: InputSize) -> String {
    match size {
        InputSize::Fixed(side) => side.to_string(),
        InputSize::Full => "full".into(),
        InputSize::Auto => "auto".into(),
    }
}

/// Tells weights apart whatever their files are called.
fn fingerprint(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!(
        "{} bytes, CRC-32C {:08x}",
        bytes.len(),
        crc32c::crc32c(&bytes)
    ))
}
