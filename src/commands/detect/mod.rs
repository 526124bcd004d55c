//! `retinamark detect`.

mod budget;
mod gallery;
mod passed;
mod pattern;
pub(super) mod progress;
pub(super) mod run;
mod search;
mod settings;
pub(super) mod sources;
mod stdin;
pub(super) mod summary;
mod todo;
mod walk;
pub(super) mod work;

use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::looks::{self, Looks};
use crate::cli::{DetectArgs, Save};
use crate::fs::FolderLock;
use crate::infer::{DetectOptions, Predictor};
use crate::output::{self, Columns, Journal, Layout, Page};
use crate::{console, imaging, interrupt};
use gallery::Gallery;
use progress::Progress;
use run::{Crew, Desk, Shared};
use search::Search;
use sources::{Photo, Source};
use summary::Tally;
use todo::Todo;
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
        sources,
        search,
        looks,
        options,
        journal,
        progress,
        lock: _lock,
    } = ready;
    let journal = Shared::new(journal);
    let mut todo = Todo::new(search, &journal, args);
    let mut tally = Tally::default();
    let worker = worker(args, &looks.predictor, options);
    let begun = Instant::now();
    let mut desk = Desk {
        journal: &journal,
        progress: &progress,
        tally: &mut tally,
    };
    let stopped = work(args, &worker, &mut todo, &mut desk);
    let seconds = begun.elapsed().as_secs_f64();
    tally.failed += todo.search.problems;
    (tally.skipped, tally.changed) = (todo.skipped, todo.changed);
    let (given, search) = (todo.given, todo.search);
    let finished = finish(args, journal.into_inner(), search.over, &looks, &sources);
    tally.say(given, search.over, &search.passed, seconds);
    stopped.and(finished)?;
    Ok(match tally {
        _ if interrupt::requested() => ExitCode::from(interrupt::EXIT_CODE),
        Tally { failed: 0, .. } => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    })
}

/// Of fewer photos than `--jobs` each gets more threads.
fn work(args: &DetectArgs, worker: &Worker, todo: &mut Todo, desk: &mut Desk) -> Result<()> {
    let first: Vec<Photo> = todo.take(jobs(args)).collect();
    let crew = Crew::new(first.len(), cores())?;
    desk.progress.show();
    let done = crew.work(worker, &mut first.into_iter().chain(todo), desk);
    desk.progress.hide();
    done
}

fn finish(
    args: &DetectArgs,
    journal: Journal,
    all_met: bool,
    looks: &Looks,
    sources: &[Source],
) -> Result<()> {
    let saves = args.saves();
    let columns = Columns {
        points: looks.predictor.scheme().len(),
        confidence: looks.predictor.tells_confidence(),
        pose: looks.predictor.tells_pose(),
    };
    let gallery = Gallery {
        out: args.out(),
        sources,
    };
    let table = saves.contains(&Save::Csv).then_some(Page::Table(columns));
    let gallery = saves
        .contains(&Save::Html)
        .then_some(Page::Gallery(&gallery));
    let pages: Vec<Page> = table.into_iter().chain(gallery).collect();
    journal.finish(all_met, saves.contains(&Save::Jsonl), &pages)
}

/// Everything checked before the first photo.
struct Ready {
    sources: Vec<Source>,
    search: Search,
    looks: Looks,
    options: DetectOptions,
    journal: Journal,
    progress: Progress,
    lock: FolderLock,
}

fn prepare(args: &DetectArgs) -> Result<Ready> {
    let (sources, problems) = sources::sources(&args.paths)?;
    let progress = Progress::new();
    let search = || {
        Search::new(
            sources.clone(),
            args.recursive,
            args.out(),
            progress.clone(),
        )
    };
    let mut all = search();
    problems.iter().for_each(|problem| all.tell(problem));
    if !all.finds_any() {
        if !all.passed.is_empty() {
            console::note(&all.passed);
        }
        bail!("no photos found");
    }
    let (weights, looks) = looks::named(&args.look)?;
    ensure!(
        !args.saves().contains(&Save::Crop) || output::has_template(looks.predictor.scheme()),
        "--save crop needs a landmark scheme that says where eyes and mouth are \
         (landmarks.custom.anatomy)"
    );
    let options = looks::options(&args.look, &looks.config)?;
    let settings = settings::of_results(args, &weights, &looks, &options)?;
    let lock = FolderLock::take(args.out())?;
    if !args.force && !args.resume {
        refuse_to_overwrite(args, search())?;
    }
    let journal = if args.resume {
        Journal::resume(args.out(), &settings)?
    } else {
        Journal::start(args.out(), args.force, &settings)?
    };
    Ok(Ready {
        sources,
        search: all,
        looks,
        options,
        journal,
        progress,
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
    let (_, looks) = looks::named(&args.look)?;
    let options = looks::options(&args.look, &looks.config)?;
    Ok((looks, options))
}

fn refuse_to_overwrite(args: &DetectArgs, photos: Search) -> Result<()> {
    let existing = output::existing_record(args.out()).or_else(|| {
        let other = |entry: DirEntry| !output::is_own_file(&entry.file_name());
        let mut entries = args.out().read_dir().ok()?.flatten();
        // Most often there is nothing, and no need to search for every photo first.
        entries.any(other).then(|| first_existing(args, photos))?
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

/// The first file that is there and that results would replace.
fn first_existing(args: &DetectArgs, mut photos: Search) -> Option<PathBuf> {
    // The number of faces is not known yet; the first face's files stand for all.
    let one = output::Done {
        size: [1, 1],
        faces: 1,
    };
    let outputs = Outputs::new(args);
    photos.find_map(|photo| {
        let files = outputs.files(&Layout::new(args.out(), &photo.relative), one);
        files.into_iter().find(|file| exists(file))
    })
}

fn worker<'a>(
    args: &'a DetectArgs,
    predictor: &'a Predictor,
    options: DetectOptions,
) -> Worker<'a> {
    let outputs = Outputs::new(args);
    Worker::new(
        predictor,
        options,
        outputs,
        args.out(),
        limits(args),
        jobs(args),
    )
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
        max_pixels: args.look.max_pixels,
    }
}
