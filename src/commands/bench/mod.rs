//! `retinamark bench`.

mod measure;
mod work;

use std::process::ExitCode;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::ValueEnum;

use crate::cli::{BenchArgs, Work};
use crate::config::{Changes, Config};
use crate::console;
use crate::infer::Clock;
use crate::model::weights::{self, Networks};
use crate::model::with_network;
use crate::task;

/// Run the subcommand.
///
/// # Errors
/// When the device, the weights, the settings or the photo cannot be used.
pub fn run(args: BenchArgs) -> Result<ExitCode> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads);
    let pool = pool
        .build()
        .with_context(|| format!("cannot start {} threads", args.threads))?;
    // All on threads of the pool, as in `detect`: from outside, each operation would wait for
    // another thread to wake up.
    pool.install(|| measure_and_print(args))
}

fn measure_and_print(args: BenchArgs) -> Result<ExitCode> {
    let compute = args.compute.compute()?;
    let networks = networks(&args, &compute.device)?;
    let config = networks.header.config.clone();
    let train = args.what == Work::Train;
    let task = task::of(config.task);
    let size = args.size.unwrap_or(match args.what {
        Work::Train => task.crop_side(&config),
        Work::Forward => task.input_side(&config),
        Work::Detect | Work::Align => config.detect.size,
    });
    let batch = args
        .batch
        .map_or(if train { config.train.batch_size } else { 1 }, usize::from);
    let plan = work::Plan {
        networks,
        compute,
        size,
        batch,
    };
    let clock = Clock::running();
    let run: Box<dyn FnMut() -> Result<()>> = match args.what {
        Work::Forward => Box::new(work::forward(plan)?),
        Work::Detect => Box::new(work::detect(plan, args.image.as_deref(), clock.clone())?),
        Work::Align => Box::new(work::align(plan, args.image.as_deref())?),
        Work::Train => with_network!(config.task, N => Box::new(work::train::<N>(plan)?)),
    };
    let times = measure::times(args.iterations as usize, &clock, run)?;
    let what = args.what.to_possible_value();
    let report = measure::Report {
        what: what.map(|w| w.get_name().to_string()).unwrap_or_default(),
        size,
        batch,
        threads: rayon::current_num_threads(),
        device: args.compute.device,
        iterations: args.iterations,
        median_ms: times.median_ms,
        min_ms: times.min_ms,
        images_per_s: batch as f64 * 1e3 / times.median_ms,
        peak_rss_mib: measure::peak_rss_mib(),
        stages: measure::shares(&clock, args.iterations as usize * batch),
    };
    if args.json {
        console::say(serde_json::to_string(&report)?);
    } else {
        console::say(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The networks to measure, for inference.
fn networks(args: &BenchArgs, device: &Device) -> Result<Networks> {
    let named = args.config.as_deref();
    let weights = weights::find(args.weights.as_deref());
    match weights {
        Ok(path) if named.is_none() => {
            let mut networks = Networks::load(&path)?;
            let changes = Changes::read(None, &args.sets)?;
            networks.header.config = changes.apply(&networks.header.config)?;
            Ok(networks)
        }
        Err(error) if args.weights.is_some() => Err(error),
        _ => Networks::new(Config::load(named, &args.sets)?, device),
    }
}
