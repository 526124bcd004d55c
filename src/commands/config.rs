//! `retinamark config`.

use std::io::Cursor;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use image::ImageFormat;

use crate::cli::ConfigArgs;
use crate::config::Config;
use crate::data::Dataset;
use crate::fs::write_atomic;
use crate::kinds::Kinds;
use crate::optim::Schedule;
use crate::render::{Curve, Plot};
use crate::{console, train};

/// Points of a curve: more than the picture has columns.
const POINTS: usize = 2000;

/// Run the subcommand.
///
/// # Errors
/// When the settings are bad, the photos cannot be counted, or the file cannot be written.
pub fn run(args: ConfigArgs) -> Result<ExitCode> {
    if args.defaults {
        console::say(Config::defaults_for_people()?.trim_end());
    }
    if let Some(path) = &args.plot_schedule {
        plot_schedule(&args, path)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plot_schedule(args: &ConfigArgs, path: &Path) -> Result<()> {
    let config = args.settings.load()?;
    let steps_per_epoch = match args.steps_per_epoch {
        Some(steps) => steps as usize,
        None => count_steps(&config)?,
    };
    let schedule = train::schedule(&config, steps_per_epoch);
    plot(&config, &schedule, path)?;
    let epochs = config.train.epochs;
    console::note(format!(
        "{}: {epochs} epochs of {steps_per_epoch} steps",
        path.display()
    ));
    Ok(())
}

fn count_steps(config: &Config) -> Result<usize> {
    ensure!(
        !config.data.train.is_empty(),
        "how many steps an epoch has follows from data.train, which lists no source: name one, or \
         say --steps-per-epoch N"
    );
    let dataset = Dataset::load_training(config).context("data.train")?;
    let dataset = dataset.for_training(config)?;
    Ok(train::Length::of(config, &dataset)?.steps)
}

fn plot(config: &Config, schedule: &Schedule, path: &Path) -> Result<()> {
    let curve = curve(schedule);
    let highest = curve.iter().map(|&(_, rate)| rate).fold(0.0, f64::max);
    let title = format!("learning rate, schedule {}", config.schedule.kind.name());
    let plot = Plot {
        title: &title,
        axes: ["step", "learning rate"],
        ranges: [0.0..schedule.steps() as f64, 0.0..1.05 * highest],
        curves: vec![Curve {
            name: config.schedule.kind.name().to_owned(),
            corners: curve,
        }],
    };
    let mut png = Cursor::new(Vec::new());
    plot.picture()?.write_to(&mut png, ImageFormat::Png)?;
    write_atomic(path, |file| Ok(file.write_all(png.get_ref())?))
}

/// Steps and their rates: all of them, or as many as can be seen.
fn curve(schedule: &Schedule) -> Vec<(f64, f64)> {
    let every = schedule.steps().div_ceil(POINTS);
    let steps = (0..schedule.steps()).step_by(every);
    steps.map(|step| (step as f64, schedule.at(step))).collect()
}
