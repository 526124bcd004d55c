//! `retinamark evaluate --models`: all training runs below a folder, compared.

mod find;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use super::measure::{self, Measurement, Subject};
use super::write;
use crate::cli::EvaluateArgs;
use crate::data::Dataset;
use crate::evaluation::Sheet;
use crate::{console, interrupt};
use find::Run;
use tables::Line;

/// Measure each run, and write the tables and the plot after each.
///
/// # Errors
/// When there is no run, the folder cannot be read, or results cannot be written. A run that cannot
/// be measured stands in the tables with its reason.
pub(super) fn run(args: &EvaluateArgs, folder: &Path) -> Result<ExitCode> {
    let runs = find::runs(folder, args.newest)?;
    ensure!(
        !runs.is_empty(),
        "--models {}: no folder there holds the config.yaml of a training run beside \
         best.safetensors or final.safetensors",
        folder.display()
    );
    interrupt::listen()?;
    let mut lines: Vec<Line> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        if interrupt::requested() {
            break;
        }
        let name = run.name.display();
        console::note(format!("{name}: {} of {}", at + 1, runs.len()));
        let line = match measure(args, run) {
            Ok(measured) => {
                let out = args.out.join(&run.name);
                write::model(&out, args, &measured, &Sheet::MANY_MODELS)?;
                tell(&measured.dataset);
                Line::measured(run, &measured)
            }
            Err(error) => {
                console::note(format!("{name}: not measured: {error:#}"));
                Line::failed(run, &error)
            }
        };
        lines.push(line);
        tables::write(&args.out, &mut lines)?;
    }
    Ok(conclude(args, &lines, runs.len()))
}

fn measure(args: &EvaluateArgs, run: &Run) -> Result<Measurement> {
    let weights = run.weights.clone();
    let weights = weights
        .context("it holds neither best.safetensors nor final.safetensors: train it further")?;
    let subject = Subject {
        weights,
        run: Some(run.config.clone()),
    };
    measure::measure(args, &subject, &|| Ok(()))
}

/// What was left out, while reading the lists and while looking.
fn tell(dataset: &Dataset) {
    for report in [&dataset.report, &dataset.left_out()] {
        if !report.is_empty() {
            console::note(report);
        }
    }
}

fn conclude(args: &EvaluateArgs, lines: &[Line], runs: usize) -> ExitCode {
    console::say(tables::markdown(lines));
    console::say(format!("results in {}", args.out.display()));
    if interrupt::requested() {
        console::note(format!("stopped after {} of {runs} models", lines.len()));
        return ExitCode::from(interrupt::EXIT_CODE);
    }
    let failed = lines.iter().filter(|line| line.has_failed()).count();
    if failed > 0 {
        console::note(format!("{failed} of {runs} models could not be measured"));
        return ExitCode::from(1);
    }
    ExitCode::SUCCESS
}
