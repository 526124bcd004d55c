//! The networks that the command line names, and the settings to use them with.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::cli::{SecondLookArgs, SettingsArgs};
use crate::config::{Changes, Config};
use crate::console;
use crate::infer::{AlignOptions, Compute, Predictor};

/// A predictor, and the settings that it is used with.
pub(super) struct Looks {
    /// Looks again at faces as the settings and the arguments say.
    pub predictor: Predictor,
    /// Those of the weights with the user's changes.
    pub config: Config,
}

/// The networks of a weights file. Says so where a settings file that was not asked for overrules
/// the weights.
///
/// # Errors
/// When a file cannot be loaded, a setting is impossible, or there is no aligner to look more
/// closely.
pub(super) fn load(
    weights: &Path,
    second: &SecondLookArgs,
    settings: &SettingsArgs,
    compute: Compute,
) -> Result<Looks> {
    let changes = Changes::read(settings.config.as_deref(), &settings.sets)?;
    let mut predictor = Predictor::load_pair(weights, second.aligner.as_deref(), compute)?;
    let config = changes.apply(predictor.config())?;
    if settings.config.is_none() {
        let overruled = changes.overruled(predictor.config())?;
        if !overruled.is_empty() {
            let list = overruled.join(", ");
            console::note(format!("config.yaml overrules the weights: {list}"));
        }
    }
    if second.one_pass {
        ensure!(
            predictor.finds_faces(),
            "--one-pass: {} holds an aligner only, which is the second look",
            weights.display()
        );
        predictor = predictor.one_pass();
        return Ok(Looks { predictor, config });
    }
    let own = predictor.aligner_config().map(|own| changes.apply(own));
    let own = own.transpose()?;
    match (predictor.align_options_mut(), own) {
        (Some(options), Some(own)) => {
            *options = AlignOptions::from(&own.aligner);
            options.passes = second.passes.map_or(options.passes, usize::from);
            options.flip |= second.flip;
        }
        _ => ensure!(
            second.passes.is_none() && !second.flip,
            "--passes and --flip need an aligner, which {} does not hold",
            weights.display()
        ),
    }
    Ok(Looks { predictor, config })
}
