//! The networks that the command line names, and the settings to use them with.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::cli::{LookArgs, SecondLookArgs, SettingsArgs};
use crate::config::{Changes, Config};
use crate::console;
use crate::infer::{AlignOptions, Compute, DetectOptions, InputSize, Predictor};
use crate::model::weights;

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

/// The networks of the arguments, and the file that they come from.
///
/// # Errors
/// As [`load`], and when none of them finds faces.
pub(super) fn named(args: &LookArgs) -> Result<(PathBuf, Looks)> {
    let compute = args.compute.compute()?;
    let weights = weights::find(args.weights.as_deref())?;
    let looks = load(&weights, &args.second_look, &args.settings, compute)?;
    ensure!(
        looks.predictor.finds_faces(),
        "{} holds an aligner only, which cannot find faces; give a detector's file as --weights \
         and this one as --aligner",
        weights.display()
    );
    Ok((weights, looks))
}

/// How to look, as the arguments say, and `config` where they are silent.
///
/// # Errors
/// On impossible sizes.
pub(super) fn options(args: &LookArgs, config: &Config) -> Result<DetectOptions> {
    let mut options = DetectOptions::from(&config.detect);
    set_sizes(&mut options, &args.size)?;
    options.any_angle = args.any_angle;
    options.score = args.score.unwrap_or(options.score);
    options.nms_iou = args.nms.unwrap_or(options.nms_iou);
    options.max_faces = args.max_faces.map_or(options.max_faces, |n| n as usize);
    Ok(options)
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
