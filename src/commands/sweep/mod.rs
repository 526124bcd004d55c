//! `retinamark sweep`.

mod grid;
mod runs;
mod table;

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result, ensure};

use crate::cli::SweepArgs;
use crate::config::Config;
use crate::{console, fs, interrupt};
use grid::{Axis, Combination};
use runs::{Run, State};

/// Run the subcommand: train what is not trained yet, and write the tables after each run.
///
/// # Errors
/// When a setting of some combination is impossible, before anything is trained; and when the folder
/// cannot be read or written. A run that fails stands in the table with its reason.
pub fn run(args: SweepArgs) -> Result<ExitCode> {
    ensure!(args.jobs > 0, "--jobs: expected at least one run at a time");
    args.devices.open()?;
    let axes: Vec<Axis> = args
        .grid
        .iter()
        .map(|text| Axis::parse(text))
        .collect::<Result<_>>()?;
    for (at, axis) in axes.iter().enumerate() {
        let twice = axes[..at].iter().any(|other| other.key == axis.key);
        ensure!(!twice, "--grid {}: given twice", axis.key);
    }
    let combinations = Combination::all(&axes);
    let mut names = HashSet::new();
    for combination in &combinations {
        let name = combination.name();
        check(&args, combination).with_context(|| name.clone())?;
        ensure!(
            names.insert(name.clone()),
            "two combinations would share the folder {name}: their values differ only in what no \
             folder is called"
        );
    }
    fs::check_folder(&args.out)?;
    interrupt::listen()?;
    let find = |combination| Run::find(&args.out, combination, args.retry);
    let runs: Vec<Run> = combinations.into_iter().map(find).collect::<Result<_>>()?;
    let runs = Mutex::new(runs);
    train_all(&args, &axes, &runs)?;
    let runs = lock(&runs);
    console::say(table::write(&args.out, &axes, &runs)?);
    if interrupt::requested() {
        console::note("stopped; the same command goes on");
        return Ok(ExitCode::from(interrupt::EXIT_CODE));
    }
    let failed = |run: &&Run| matches!(run.state, State::Failed(_));
    let failed = runs.iter().filter(failed).count();
    if failed > 0 {
        console::note(format!(
            "{failed} of {} runs failed; --retry tries them again",
            runs.len()
        ));
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

/// Settings that all runs share, as `train` takes them.
fn shared(args: &SweepArgs) -> Vec<String> {
    let mut shared = vec!["--device".to_owned(), args.devices.names.join(",")];
    if let Some(config) = &args.settings.config {
        shared.extend(["--config".to_owned(), config.display().to_string()]);
    }
    for set in &args.settings.sets {
        shared.extend(["--set".to_owned(), set.clone()]);
    }
    shared
}

fn check(args: &SweepArgs, combination: &Combination) -> Result<()> {
    let mut sets = args.settings.sets.clone();
    sets.extend(combination.sets());
    Config::load(args.settings.config.as_deref(), &sets).map(drop)
}

/// Train the runs that are not done, some at a time.
fn train_all(args: &SweepArgs, axes: &[Axis], runs: &Mutex<Vec<Run>>) -> Result<()> {
    let shared = shared(args);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (cores / args.jobs).max(1);
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(mut run) = lock(runs).get(at).cloned() else {
                return Ok(());
            };
            if interrupt::requested() || matches!(run.state, State::Done | State::Failed(_)) {
                continue;
            }
            run.begin();
            let name = run.combination.name();
            console::note(format!("{name}: training in {}", run.folder.display()));
            run.train(&shared, threads)?;
            if let State::Failed(words) = &run.state {
                console::note(format!("{name} failed: {words}"));
            }
            let mut all = lock(runs);
            all[at] = run;
            table::write(&args.out, axes, &all)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs).map(|_| scope.spawn(work)).collect();
        let mut results = workers.into_iter().map(|worker| worker.join());
        results
            .try_for_each(|result| result.unwrap_or_else(|_| anyhow::bail!("a worker has stopped")))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
