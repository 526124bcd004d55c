//! The networks that the command line names, and the settings to use them with.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::cli::{SecondLookArgs, SettingsArgs};
use crate::config::{Changes, Config};
use crate::console;
use crate::infer::{AlignOptions, Compute, DetectOptions, InputSize, Predictor};

/// A predictor, and the settings that it is used with.
pub(super) struct Looks {
    /// Looks again at faces as the settings and the arguments say.
    pub predictor: Predictor,
    /// Those of the weights with the user's changes; the landmarks are those that faces get.
    pub config: Config,
}

/// The networks of a weights file, and of the arguments' files with aligners. Says so where a settings
/// file that was not asked for overrules the weights.
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
    let (first, aligners) = second.files(weights);
    let predictor = Predictor::load_with(first, &aligners, compute)?;
    of(predictor, weights, second, settings)
}

/// Look at a photo at the sizes of `--size`, where there are some.
///
/// # Errors
/// When they are more than two, or `auto` is not alone.
pub(super) fn set_sizes(options: &mut DetectOptions, sizes: &[InputSize]) -> Result<()> {
    ensure!(sizes.len() <= 2, "--size: at most two sizes");
    ensure!(
        sizes.len() < 2 || !sizes.contains(&InputSize::Auto),
        "--size: auto chooses all sizes; leave the other one out"
    );
    options.size = sizes.first().copied().unwrap_or(options.size);
    options.second_size = sizes.get(1).copied();
    Ok(())
}

/// The same of a `predictor` whose own weights are those of a file.
///
/// # Errors
/// When a setting is impossible, or there is no aligner to look more closely.
pub(super) fn of(
    mut predictor: Predictor,
    weights: &Path,
    second: &SecondLookArgs,
    settings: &SettingsArgs,
) -> Result<Looks> {
    let changes = Changes::read(settings.config.as_deref(), &settings.sets)?;
    let mut config = changes.apply(predictor.config())?;
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
    ensure!(
        predictor.looks_again() || second.passes.is_none() && !second.flip,
        "--passes and --flip need an aligner, which {} does not hold",
        weights.display()
    );
    let own = predictor.aligner_configs().iter();
    let own: Vec<Config> = own.map(|own| changes.apply(own)).collect::<Result<_>>()?;
    for (options, own) in predictor.align_options_mut().zip(&own) {
        *options = AlignOptions::from(&own.aligner);
        options.passes = second.passes.map_or(options.passes, usize::from);
        options.flip |= second.flip;
    }
    if let Some(last) = own.into_iter().next_back() {
        config.landmarks = last.landmarks;
    }
    Ok(Looks { predictor, config })
}
