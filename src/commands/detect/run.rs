//! All photos, several at a time.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPoolBuilder;

use super::cores;
use super::plan::Photo;
use super::summary::Tally;
use super::work::{Processed, Worker};
use crate::output::Journal;
use crate::{console, interrupt, panics};

/// Process `photos` with `jobs` of them in work at a time; ends early on Ctrl-C.
///
/// # Errors
/// When results cannot be written any more; photos that fail are reported and counted.
pub fn all(
    worker: &Worker,
    photos: &[&Photo],
    jobs: usize,
    journal: &mut Journal,
    tally: &mut Tally,
) -> Result<()> {
    let jobs = jobs.clamp(1, photos.len().max(1));
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    // Each photo has threads of its own: with a shared pool, a thread that waits for a part of one
    // photo would begin another, and hold both in memory.
    let pools = (0..jobs)
        .map(|_| {
            ThreadPoolBuilder::new()
                .num_threads((cores() / jobs).max(1))
                .start_handler(|_| panics::passed_on())
        })
        .map(|pool| pool.build().context("cannot start threads"))
        .collect::<Result<Vec<_>>>()?;
    // Without room in between, a worker waits until the line of its photo is written.
    let (sender, results) = mpsc::sync_channel::<(&Photo, Result<Processed>)>(0);
    std::thread::scope(|scope| {
        for pool in &pools {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && !interrupt::requested() {
                    let Some(photo) = photos.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    let result = pool.install(|| guarded(worker, photo));
                    if sender.send((photo, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let bar = progress_bar(photos.len());
        let mut outcome = Ok(());
        for (photo, result) in results {
            let collected = collect(photo, result, journal, tally, &bar);
            if let (Err(error), Ok(())) = (collected, &outcome) {
                stop.store(true, Ordering::Relaxed);
                outcome = Err(error);
            }
        }
        bar.finish_and_clear();
        outcome
    })
}

/// A photo that makes a library panic is one failed photo, not the end of the call.
fn guarded(worker: &Worker, photo: &Photo) -> Result<Processed> {
    panics::caught(|| Ok::<_, Error>(worker.process(photo)))
        .with_context(|| format!("cannot process {}", photo.path.display()))?
}

fn collect(
    photo: &Photo,
    result: Result<Processed>,
    journal: &mut Journal,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> Result<()> {
    bar.inc(1);
    match result {
        Ok(processed) => {
            let mut problems = processed.problems;
            if let Some(fatal) = problems.iter().position(ends_everything) {
                let error = problems.swap_remove(fatal);
                return Err(error.context(format!("stopped at {}", photo.path.display())));
            }
            journal.append(&processed.record, Some(processed.stamp))?;
            tally.add(photo, &processed.record, processed.shrink);
            tally.failed += usize::from(!problems.is_empty());
            problems.iter().for_each(|problem| tell(problem, bar));
            Ok(())
        }
        Err(error) => {
            tally.failed += 1;
            tally.unreadable += 1;
            tell(&error, bar);
            Ok(())
        }
    }
}

fn tell(problem: &Error, bar: &ProgressBar) {
    bar.suspend(|| console::note(format!("failed: {problem:#}")));
}

/// Whether the next photo could not be written either.
fn ends_everything(error: &Error) -> bool {
    let kinds = error.chain().filter_map(|cause| {
        let io = cause.downcast_ref::<std::io::Error>()?;
        Some(io.kind())
    });
    kinds.into_iter().any(|kind| {
        matches!(
            kind,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem
        )
    })
}

/// Hidden when stderr is not a terminal.
fn progress_bar(photos: usize) -> ProgressBar {
    let bar = ProgressBar::new(photos as u64);
    let style = "{bar:30} {pos}/{len} photos, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
