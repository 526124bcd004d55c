//! `retinamark evaluate`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::looks::{self, Looks};
use super::sources;
use crate::cli::{EvaluateArgs, FaceBoxes};
use crate::config::{Config, OnError, SourceKind};
use crate::data::Dataset;
use crate::evaluation::{self, Boxes, Outcome, Settings, Which};
use crate::infer::{AlignOptions, InputSize, Predictor};
use crate::metrics::Report;
use crate::{console, fs, model, render};

/// Faces on each mosaic.
const MOSAIC: usize = 64;

/// Run the subcommand: measure, print a table, write the report, the plot and the mosaics.
///
/// # Errors
/// On unusable arguments, weights or lists, a photo that cannot be decoded (without
/// `--skip-errors`), and results that cannot be written.
pub fn run(args: EvaluateArgs) -> Result<ExitCode> {
    let weights = model::weights::find(args.weights.as_deref())?;
    let compute = args.compute.compute()?;
    fs::check_folder(&args.out)?;
    let Looks { predictor, config } =
        looks::load(&weights, &args.second_look, &args.settings, compute)?;
    let config = with_lists(&args, config)?;
    let dataset = Dataset::load(&config.data.validation, &config)?;
    let mut settings = settings(&args, &config)?;
    add_subsets(&mut settings, &args.subset, &config)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.jobs);
    let pool = threads.build().context("cannot start --jobs threads")?;
    let outcome = pool.install(|| -> Result<Outcome> {
        let outcome = measure(&predictor, &dataset, &settings)?;
        let look = predictor.align_options();
        write(&args, (&weights, look), &settings, &dataset, &outcome)?;
        Ok(outcome)
    })?;
    console::say(evaluation::table(&outcome.report, settings.size));
    console::note(&dataset.report);
    let while_decoding = dataset.left_out();
    if while_decoding.total() > 0 {
        console::note(&while_decoding);
    }
    console::say(format!("results in {}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}

/// The settings with the lists of `--data`.
fn with_lists(args: &EvaluateArgs, mut config: Config) -> Result<Config> {
    if !args.data.is_empty() {
        let sources = args.data.iter().map(|text| sources::parse(text));
        config.data.validation = sources.collect::<Result<_>>()?;
    }
    if args.skip_errors {
        config.data.on_error = OnError::Skip;
    }
    ensure!(
        !config.data.validation.is_empty(),
        "nothing to evaluate on: give --data, or --config with data.validation"
    );
    Ok(config)
}

fn settings(args: &EvaluateArgs, config: &Config) -> Result<Settings> {
    let mut settings = Settings::from(&config.detect);
    settings.boxes = match args.boxes {
        FaceBoxes::Detected => Boxes::Detected,
        FaceBoxes::Truth => Boxes::Truth,
        FaceBoxes::List => Boxes::List,
    };
    ensure!(args.size.len() <= 2, "--size: at most two sizes");
    if let Some(&size) = args.size.first() {
        settings.size = size;
        settings.detect.size = InputSize::Fixed(size);
    }
    settings.detect.second_size = args.size.get(1).map(|&size| InputSize::Fixed(size));
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

fn measure(predictor: &Predictor, dataset: &Dataset, settings: &Settings) -> Result<Outcome> {
    let style = "{wide_bar} {pos}/{len} photos, {per_sec}, {eta} left";
    let bar = ProgressBar::new(dataset.samples.len() as u64)
        .with_style(ProgressStyle::with_template(style)?);
    let outcome = evaluation::run_with(predictor, dataset, settings, &|| bar.inc(1));
    bar.finish_and_clear();
    outcome
}

/// What `report.json` holds.
#[derive(Serialize)]
struct File<'a> {
    weights: &'a Path,
    aligner: Option<&'a Path>,
    boxes: String,
    size: u32,
    second_size: Option<u32>,
    landmark_votes: usize,
    /// Looks of the aligner at each face; 0: one pass.
    passes: usize,
    flip: bool,
    evaluate_score: f32,
    joint_score: f32,
    joint_iou: f32,
    nms_iou: f32,
    #[serde(flatten)]
    report: &'a Report,
}

fn write(
    args: &EvaluateArgs,
    (weights, look): (&Path, Option<&AlignOptions>),
    settings: &Settings,
    dataset: &Dataset,
    outcome: &Outcome,
) -> Result<()> {
    let file = File {
        weights,
        aligner: args.second_look.aligner.as_deref(),
        boxes: format!("{:?}", settings.boxes).to_lowercase(),
        size: settings.size,
        second_size: args.size.get(1).copied(),
        landmark_votes: settings.detect.landmark_votes,
        passes: look.map_or(0, |look| look.passes),
        flip: look.is_some_and(|look| look.flip),
        evaluate_score: settings.detect.score,
        joint_score: settings.options.joint.score,
        joint_iou: settings.options.joint.iou,
        nms_iou: settings.detect.nms_iou,
        report: &outcome.report,
    };
    fs::write_atomic(&args.out.join("report.json"), |out| {
        Ok(serde_json::to_writer_pretty(out, &file)?)
    })?;
    if outcome.faces.is_empty() {
        return Ok(());
    }
    write_faces(&args.out.join("faces.csv"), dataset, outcome)?;
    let errors: Vec<f64> = outcome.faces.iter().map(|f| f.nme).collect();
    let name = weights.file_stem().unwrap_or_default().to_string_lossy();
    let title = format!("{name}: {} faces, missed ones included", errors.len());
    let svg = evaluation::ced_svg(&errors, &title)?;
    fs::write_atomic(&args.out.join("ced.svg"), |out| {
        Ok(std::io::Write::write_all(out, svg.as_bytes())?)
    })?;
    for (which, name) in [(Which::Best, "best.jpg"), (Which::Worst, "worst.jpg")] {
        let picture = evaluation::mosaic(dataset, &outcome.faces, which, MOSAIC)?;
        render::save_jpeg(&args.out.join(name), &picture)?;
    }
    Ok(())
}

/// One line a face: photo, true box, error, and the detection that stands for it.
fn write_faces(path: &Path, dataset: &Dataset, outcome: &Outcome) -> Result<()> {
    fs::write_atomic(path, |out| {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["image", "x1", "y1", "x2", "y2", "nme", "score"])?;
        for face in &outcome.faces {
            let sample = &dataset.samples[face.sample];
            let corners: [f32; 4] = sample.faces[face.face].box_xyxy.into();
            let score = face.detection.as_ref().map(|d| format!("{:.4}", d.score));
            let mut row = vec![sample.name.to_string()];
            row.extend(corners.map(|v| format!("{v:.1}")));
            row.extend([format!("{:.5}", face.nme), score.unwrap_or_default()]);
            csv.write_record(&row)?;
        }
        Ok(csv.flush()?)
    })
}
