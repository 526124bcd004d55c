//! `retinamark evaluate`.

mod measure;
mod models;
mod write;

use std::process::ExitCode;

use anyhow::{Context, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cli::EvaluateArgs;
use crate::evaluation::{self, Curve, Done, Sheet};
use crate::{console, fs, model};
use measure::{Measurement, Subject};

/// Run the subcommand: measure, print a table, write the report, the plot and the mosaics; of one
/// weights file, or of all training runs below a folder.
///
/// # Errors
/// On unusable arguments, weights or lists, a photo that cannot be decoded (without
/// `--skip-errors`), and results that cannot be written. One of many models that cannot be measured
/// stands in the tables with its reason.
pub fn run(args: EvaluateArgs) -> Result<ExitCode> {
    fs::check_folder(&args.out)?;
    pool(&args)?.install(|| match &args.models {
        Some(folder) => models::run(&args, folder),
        None => one(&args),
    })
}

/// What `report.json` would say of one weights file, which writes and prints nothing but progress; `done` is called after
/// each photo, from any thread, and its error ends it.
///
/// # Errors
/// On unusable arguments, weights or lists, and a photo that cannot be decoded (without
/// `--skip-errors`).
pub fn report(args: &EvaluateArgs, done: &Done<'_>) -> Result<String> {
    let weights = model::weights::find(args.weights.as_deref())?;
    let subject = Subject { weights, run: None };
    let measured = pool(args)?.install(|| measure::measure(args, &subject, done))?;
    write::report_text(args, &measured)
}

fn pool(args: &EvaluateArgs) -> Result<ThreadPool> {
    let threads = ThreadPoolBuilder::new().num_threads(args.jobs);
    threads.build().context("cannot start --jobs threads")
}

fn one(args: &EvaluateArgs) -> Result<ExitCode> {
    let weights = model::weights::find(args.weights.as_deref())?;
    let measured = measure::measure(args, &Subject { weights, run: None }, &|| Ok(()))?;
    write::model(&args.out, args, &measured, &Sheet::ONE_MODEL)?;
    write_ced(args, &measured)?;
    let Measurement {
        settings,
        dataset,
        outcome,
        ..
    } = &measured;
    console::say(evaluation::table(&outcome.report, settings.size));
    console::note(&dataset.report);
    let while_decoding = dataset.left_out();
    if while_decoding.total() > 0 {
        console::note(&while_decoding);
    }
    console::say(format!("results in {}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}

fn write_ced(args: &EvaluateArgs, measured: &Measurement) -> Result<()> {
    let errors = measured.outcome.errors();
    if errors.is_empty() {
        return Ok(());
    }
    let name = measured.weights.file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    let title = format!("{name}: {} faces, missed ones included", errors.len());
    let curve = Curve {
        name: &name,
        errors: &errors,
    };
    write::ced(&args.out, &[curve], &title)
}
