//! Predictors that look again at faces as the command line says.

use std::path::Path;

use anyhow::{Result, ensure};
use burn::tensor::Device;

use crate::cli::SecondLookArgs;
use crate::infer::Predictor;

/// The predictor of a weights file, looking again at faces as `args` say.
///
/// # Errors
/// When a file cannot be loaded, or there is no aligner to look more closely.
pub(super) fn load(weights: &Path, args: &SecondLookArgs, device: &Device) -> Result<Predictor> {
    let mut predictor = Predictor::load_pair(weights, args.aligner.as_deref(), device)?;
    if args.one_pass {
        ensure!(
            predictor.finds_faces(),
            "--one-pass: {} holds an aligner only, which is the second look",
            weights.display()
        );
        return Ok(predictor.one_pass());
    }
    match predictor.align_options_mut() {
        Some(options) => {
            options.passes = args.passes.map_or(options.passes, usize::from);
            options.flip |= args.flip;
        }
        None => ensure!(
            args.passes.is_none() && !args.flip,
            "--passes and --flip need an aligner, which {} does not hold",
            weights.display()
        ),
    }
    Ok(predictor)
}
