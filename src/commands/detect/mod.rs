//! `retinamark detect`.

mod budget;
mod passed;
mod plan;
mod run;
mod settings;
mod stdin;
mod summary;
mod walk;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::looks::{self, Looks};
use crate::cli::{DetectArgs, Save};
use crate::fs::FolderLock;
use crate::infer::DetectOptions;
use crate::model::weights;
use crate::output::{self, Journal, Layout, Stamp};
use crate::{console, imaging, interrupt};
use plan::{Photo, Plan};
use summary::Tally;
use work::{Outputs, Worker};

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Run the subcommand.
///
/// # Errors
/// When results cannot be written any more, such as on a full disk. What stops the command before
/// its first photo is reported here, with the exit code of wrong usage; photos that fail are
/// reported and counted.
pub fn run(args: DetectArgs) -> Result<ExitCode> {
    let done = if args.paths.iter().any(|path| path == Path::new("-")) {
        prepare_stdin(&args).map(|ready| one(&args, &ready))
    } else {
        prepare(&args).map(|ready| all(&args, ready))
    };
    done.unwrap_or_else(|error| {
        console::note(format!("error: {error:#}"));
        Ok(ExitCode::from(USAGE))
    })
}

/// The photo on stdin.
fn one(args: &DetectArgs, (looks, options): &(Looks, DetectOptions)) -> Result<ExitCode> {
    let good = stdin::run(&looks.predictor, options, &limits(args))?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Photos in files.
fn all(args: &DetectArgs, ready: Ready) -> Result<ExitCode> {
    interrupt::listen()?;
    let Ready {
        plan,
        looks,
        options,
        mut journal,
        lock: _lock,
    } = ready;
    let mut tally = Tally::default();
    tally.failed += plan.problems.len();
    for problem in &plan.problems {
        console::note(format!("failed: {problem}"));
    }
    tally.changed = forget_changed(args, &plan.photos, &mut journal);
    let todo = left_to_do(args, &plan.photos, &journal);
    tally.skipped = plan.photos.len() - todo.len();
    let worker = Worker::new(&looks.predictor, options, args, jobs(args));
    let begun = Instant::now();
    let stopped = run::all(&worker, &todo, jobs(args), &mut journal, &mut tally);
    let seconds = begun.elapsed().as_secs_f64();
    let saves = args.saves();
    let finished = journal.finish(
        plan.photos.iter().map(|photo| photo.name.as_str()),
        saves.contains(&Save::Jsonl),
        saves
            .contains(&Save::Csv)
            .then(|| looks.predictor.scheme().len()),
    );
    tally.say(todo.len(), &plan.passed, seconds);
    stopped.and(finished)?;
    Ok(match tally {
        _ if interrupt::requested() => ExitCode::from(interrupt::EXIT_CODE),
        Tally { failed: 0, .. } => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    })
}

/// Everything checked before the first photo.
struct Ready {
    plan: Plan,
    looks: Looks,
    options: DetectOptions,
    journal: Journal,
    lock: FolderLock,
}

fn prepare(args: &DetectArgs) -> Result<Ready> {
    let plan = plan::plan(&args.paths, args.recursive, args.out())?;
    if plan.photos.is_empty() {
        for problem in &plan.problems {
            console::note(format!("failed: {problem}"));
        }
        if !plan.passed.is_empty() {
            console::note(&plan.passed);
        }
        bail!("no photos found");
    }
    let (weights, looks) = load(args)?;
    ensure!(
        !args.saves().contains(&Save::Crop) || output::has_template(looks.predictor.scheme()),
        "--save crop needs a landmark scheme that says where eyes and mouth are \
         (landmarks.custom.anatomy)"
    );
    let options = settings::options(args, &looks.config);
    let settings = settings::of_results(args, &weights, &looks, &options)?;
    let lock = FolderLock::take(args.out())?;
    if !args.force && !args.resume {
        refuse_to_overwrite(args, &plan.photos)?;
    }
    let journal = if args.resume {
        Journal::resume(args.out(), &settings)?
    } else {
        Journal::start(args.out(), args.force, &settings)?
    };
    Ok(Ready {
        plan,
        looks,
        options,
        journal,
        lock,
    })
}

fn prepare_stdin(args: &DetectArgs) -> Result<(Looks, DetectOptions)> {
    ensure!(
        args.paths.len() == 1,
        "-, the photo on stdin, cannot be read together with other PATHs (a file of that name is ./-)"
    );
    ensure!(
        args.out.is_none() && args.save.is_empty() && !args.force && !args.resume,
        "the result of -, the photo on stdin, goes to stdout: --out, --save, --force and --resume do \
         not go with it"
    );
    let (_, looks) = load(args)?;
    let options = settings::options(args, &looks.config);
    Ok((looks, options))
}

/// The networks, and the file that they come from.
fn load(args: &DetectArgs) -> Result<(PathBuf, Looks)> {
    let compute = args.compute.compute()?;
    ensure!(args.size.len() <= 2, "--size: at most two sizes");
    let weights = weights::find(args.weights.as_deref())?;
    let looks = looks::load(&weights, &args.second_look, &args.settings, compute)?;
    ensure!(
        looks.predictor.finds_faces(),
        "{} holds an aligner only, which cannot find faces; give a detector's file as --weights \
         and this one as --aligner",
        weights.display()
    );
    Ok((weights, looks))
}

fn refuse_to_overwrite(args: &DetectArgs, photos: &[Photo]) -> Result<()> {
    let existing = output::existing_record(args.out()).or_else(|| {
        // The number of faces is not known yet; the first face's files stand for all.
        let one = output::Done {
            size: [1, 1],
            faces: 1,
        };
        let outputs = Outputs::new(args);
        photos
            .iter()
            .flat_map(|photo| outputs.files(&Layout::new(args.out(), &photo.relative), one))
            .find(|file| exists(file))
    });
    if let Some(file) = existing {
        bail!(
            "{} exists already: choose another --out, replace it with --force, or go on with \
             --resume",
            file.display()
        );
    }
    Ok(())
}

/// Forget the results of photos whose files are not those that they are about, and remove what was
/// written for them; gives how many there are.
fn forget_changed(args: &DetectArgs, photos: &[Photo], journal: &mut Journal) -> usize {
    let mut changed = 0;
    for photo in photos {
        let Some(done) = journal.done(&photo.name) else {
            continue;
        };
        if journal.stamp(&photo.name) == Stamp::of(&photo.path) {
            continue;
        }
        changed += 1;
        journal.forget(&photo.name);
        for file in Layout::new(args.out(), &photo.relative).all(done.size, done.faces) {
            // What cannot be removed is replaced, or reported when that fails.
            let _ = std::fs::remove_file(file);
        }
    }
    changed
}

/// Photos that no earlier call has done, or whose files are not all there.
fn left_to_do<'a>(args: &DetectArgs, photos: &'a [Photo], journal: &Journal) -> Vec<&'a Photo> {
    let outputs = Outputs::new(args);
    let is_done = |photo: &Photo| {
        let layout = Layout::new(args.out(), &photo.relative);
        journal
            .done(&photo.name)
            .is_some_and(|done| outputs.files(&layout, done).iter().all(|file| exists(file)))
    };
    photos.iter().filter(|photo| !is_done(photo)).collect()
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn jobs(args: &DetectArgs) -> usize {
    args.jobs.map_or_else(cores, usize::from)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn limits(args: &DetectArgs) -> imaging::Limits {
    imaging::Limits {
        max_pixels: args.max_pixels,
    }
}
