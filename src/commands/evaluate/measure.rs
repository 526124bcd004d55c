//! Measuring one model as the command line asks for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{EvaluateArgs, FaceBoxes};
use crate::commands::looks::{self, Looks};
use crate::commands::sources;
use crate::config::{Config, OnError, SourceConfig, SourceKind};
use crate::console;
use crate::data::Dataset;
use crate::evaluation::{self, Boxes, Done, Outcome, Settings};
use crate::infer::{AlignOptions, Compute, FIRST_LOOK, InputSize, Predictor};
use crate::model::weights::Networks;

/// What is to be measured.
pub(super) struct Subject {
    pub weights: PathBuf,
    /// The `config.yaml` of the training run that they come from, if that is what is measured: it
    /// names photos where nobody else does, and its aligner is told where the faces are, as in its
    /// validation.
    pub run: Option<PathBuf>,
}

/// What came of it.
pub(super) struct Measurement {
    pub weights: PathBuf,
    /// How each aligner looked; none without a second look.
    pub looks: Vec<AlignOptions>,
    pub sources: Vec<SourceConfig>,
    pub settings: Settings,
    pub dataset: Dataset,
    pub outcome: Outcome,
}

/// Measure a model; `done` is called after each photo, and its error ends it.
///
/// # Errors
/// On unusable weights, settings or lists, and on a photo that cannot be decoded (without
/// `--skip-errors`).
pub(super) fn measure(
    args: &EvaluateArgs,
    subject: &Subject,
    done: &Done<'_>,
) -> Result<Measurement> {
    let weights = &subject.weights;
    let compute = args.compute.compute()?;
    let predictor = load(args, subject, compute)?;
    let Looks { predictor, config } =
        looks::of(predictor, weights, &args.second_look, &args.settings)?;
    let config = with_lists(args, config, subject.run.as_deref())?;
    let dataset = Dataset::load(&config.data.validation, &config)?;
    let mut settings = settings(args, &config)?;
    if args.boxes.is_none() && subject.run.is_some() && !predictor.finds_faces() {
        settings.boxes = Boxes::Truth;
    }
    add_subsets(&mut settings, &args.subset, &config)?;
    let outcome = look(&predictor, &dataset, &settings, done)?;
    Ok(Measurement {
        weights: weights.clone(),
        looks: predictor.align_options().copied().collect(),
        sources: config.data.validation,
        settings,
        dataset,
        outcome,
    })
}

/// The networks of a model; of a run that has trained an aligner after others, those too.
fn load(args: &EvaluateArgs, subject: &Subject, compute: Compute) -> Result<Predictor> {
    let named = &args.second_look.aligner;
    let run = subject.run.as_deref().filter(|_| named.is_empty());
    let run = run.map(|file| Config::load(Some(file), &[])).transpose()?;
    match run.and_then(|config| config.train.after) {
        Some(before) => {
            let networks = Networks::load_aligners(&[before, subject.weights.clone()])?;
            Predictor::of_networks(&networks, compute)
        }
        None => {
            let (first, aligners) = args.second_look.files(&subject.weights);
            Predictor::load_with(first, &aligners, compute)
        }
    }
}

/// The settings with the lists of `--data`, or with those of a run where there are no others.
fn with_lists(args: &EvaluateArgs, mut config: Config, run: Option<&Path>) -> Result<Config> {
    let lists = &mut config.data.validation;
    if !args.data.is_empty() {
        let sources = args.data.iter().map(|text| sources::parse(text));
        *lists = sources.collect::<Result<_>>()?;
    } else if let (Some(file), true) = (run, lists.is_empty()) {
        *lists = Config::load(Some(file), &[])?.data.validation;
    }
    ensure!(
        !lists.is_empty(),
        "nothing to evaluate on: give --data, or --config with data.validation"
    );
    if args.skip_errors {
        config.data.on_error = OnError::Skip;
    }
    Ok(config)
}

fn settings(args: &EvaluateArgs, config: &Config) -> Result<Settings> {
    let mut settings = Settings::from(&config.detect);
    settings.boxes = match args.boxes.unwrap_or(FaceBoxes::Detected) {
        FaceBoxes::Detected => Boxes::Detected,
        FaceBoxes::Truth => Boxes::Truth,
        FaceBoxes::List => Boxes::List,
    };
    looks::set_sizes(&mut settings.detect, &args.size)?;
    settings.detect.any_angle = args.any_angle;
    settings.size = match settings.detect.size {
        InputSize::Fixed(size) => size,
        InputSize::Auto | InputSize::Full => FIRST_LOOK,
    };
    if let Some(score) = args.score {
        settings.options.joint.score = score;
        settings.detect.score = settings.detect.score.min(score);
    }
    ensure!(
        args.min_face >= 0.0 && args.min_face.is_finite(),
        "--min-face: expected a number of pixels, 0 or more"
    );
    settings.options.min_face = args.min_face;
    Ok(settings)
}

/// Read the lists of `--subset`; their photos lie where those of the first source do.
fn add_subsets(settings: &mut Settings, subsets: &[String], config: &Config) -> Result<()> {
    ensure!(subsets.len() <= 32, "--subset: at most 32 subsets");
    for text in subsets {
        let (name, list) = text
            .split_once('=')
            .with_context(|| format!("--subset {text}: expected NAME=LIST"))?;
        let images = config.data.validation.first().map(|s| s.images.as_path());
        let source = sources::list_of(SourceKind::Wider, Path::new(list), images);
        let faces = Dataset::load(&[source], config)?;
        if !faces.report.is_empty() {
            console::note(&faces.report);
        }
        settings.subsets.add(name, &faces.samples);
    }
    Ok(())
}

fn look(
    predictor: &Predictor,
    dataset: &Dataset,
    settings: &Settings,
    done: &Done<'_>,
) -> Result<Outcome> {
    let style = "{wide_bar} {pos}/{len} photos, {per_sec}, {eta} left";
    let bar = ProgressBar::new(dataset.samples.len() as u64)
        .with_style(ProgressStyle::with_template(style)?);
    let counted = || {
        bar.inc(1);
        done()
    };
    let outcome = evaluation::run_with(predictor, dataset, settings, &counted);
    bar.finish_and_clear();
    outcome
}
