//! All photos, several at a time.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use anyhow::{Context, Error, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::progress::Progress;
use super::sources::Photo;
use super::summary::Tally;
use super::work::{Processed, Worker};
use crate::infer::Stage;
use crate::output::Journal;
use crate::{interrupt, panics};

/// Photos that may be found before anybody looks at them: most folders are known whole at once, and
/// of those without end no more than a few megabytes are in memory.
const AHEAD: usize = 1 << 15;

/// The journal of a call, which those that search and those that write have in common.
#[derive(Debug)]
pub struct Shared(Mutex<Journal>);

impl Shared {
    /// Of a journal that nobody else has.
    pub const fn new(journal: Journal) -> Self {
        Self(Mutex::new(journal))
    }

    /// For one thing at a time.
    pub fn lock(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For one alone again.
    pub fn into_inner(self) -> Journal {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the results of photos go.
pub struct Desk<'a> {
    /// Their lines.
    pub journal: &'a Shared,
    /// How many are done.
    pub progress: &'a Progress,
    /// What they come to.
    pub tally: &'a mut Tally,
}

/// Threads that look at photos.
#[derive(Debug)]
pub struct Crew {
    /// Each photo has threads of its own: with a shared pool, a thread that waits for a part of one
    /// photo would begin another, and hold both in memory.
    pools: Vec<ThreadPool>,
}

impl Crew {
    /// For `jobs` photos at a time, which share `threads`.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(jobs: usize, threads: usize) -> Result<Self> {
        let jobs = jobs.max(1);
        let pool = || {
            ThreadPoolBuilder::new()
                .num_threads((threads / jobs).max(1))
                .start_handler(|_| panics::passed_on())
                .build()
                .context("cannot start threads")
        };
        let pools = (0..jobs).map(|_| pool()).collect::<Result<_>>()?;
        Ok(Self { pools })
    }

    /// Look at `photos` while they are found; ends early on Ctrl-C.
    ///
    /// # Errors
    /// When results cannot be written any more; photos that fail are reported and counted.
    pub fn work(
        &self,
        worker: &Worker,
        photos: &mut (impl Iterator<Item = Photo> + Send),
        desk: &mut Desk,
    ) -> Result<()> {
        let stop = &AtomicBool::new(false);
        let (queue, waiting) = bounded(AHEAD);
        // Without room in between, a worker waits until the line of its photo is written.
        let (sender, results) = mpsc::sync_channel(0);
        std::thread::scope(|scope| {
            let progress = desk.progress;
            scope.spawn(move || find(photos, &queue, progress, stop));
            for pool in &self.pools {
                let (sender, waiting) = (sender.clone(), waiting.clone());
                scope.spawn(move || look(pool, worker, &waiting, &sender, stop));
            }
            drop((sender, waiting));
            let mut outcome = Ok(());
            for (photo, result) in results {
                let collected = desk.collect(worker, &photo, result);
                if let (Err(error), Ok(())) = (collected, &outcome) {
                    stop.store(true, Ordering::Relaxed);
                    outcome = Err(error);
                }
            }
            outcome
        })
    }
}

/// Hand on what is found, until nobody takes it any more.
fn find(
    photos: &mut impl Iterator<Item = Photo>,
    queue: &Sender<Photo>,
    progress: &Progress,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Relaxed) {
        let Some(photo) = photos.next() else {
            return progress.all_found();
        };
        progress.found();
        if queue.send(photo).is_err() {
            return;
        }
    }
}

fn look(
    pool: &ThreadPool,
    worker: &Worker,
    waiting: &Receiver<Photo>,
    results: &mpsc::SyncSender<(Photo, Result<Processed>)>,
    stop: &AtomicBool,
) {
    for photo in waiting {
        if stop.load(Ordering::Relaxed) || interrupt::requested() {
            return;
        }
        let result = pool.install(|| guarded(worker, &photo));
        if results.send((photo, result)).is_err() {
            return;
        }
    }
}

/// A photo that makes a library panic is one failed photo, not the end of the call.
fn guarded(worker: &Worker, photo: &Photo) -> Result<Processed> {
    panics::caught(|| Ok::<_, Error>(worker.process(photo)))
        .with_context(|| format!("cannot process {}", photo.path.display()))?
}

impl Desk<'_> {
    fn collect(&mut self, worker: &Worker, photo: &Photo, result: Result<Processed>) -> Result<()> {
        self.progress.done();
        let processed = match result {
            Ok(processed) => processed,
            Err(error) => {
                self.tally.failed += 1;
                self.tally.unreadable += 1;
                self.tell(&error);
                return Ok(());
            }
        };
        let mut problems = processed.problems;
        if let Some(fatal) = problems.iter().position(ends_everything) {
            let error = problems.swap_remove(fatal);
            return Err(error.context(format!("stopped at {}", photo.path.display())));
        }
        let (record, stamp) = (&processed.record, Some(processed.stamp));
        worker.clock().time(Stage::Write, || {
            self.journal.lock().append(photo.place, record, stamp)
        })?;
        self.tally.add(record, processed.shrink);
        self.tally.failed += usize::from(!problems.is_empty());
        problems.iter().for_each(|problem| self.tell(problem));
        Ok(())
    }

    fn tell(&self, problem: &Error) {
        self.progress.tell(format!("failed: {problem:#}"));
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::commands::detect::work::Outputs;
    use crate::config::Config;
    use crate::device;
    use crate::imaging::Limits;
    use crate::infer::{DetectOptions, Predictor};
    use crate::model::weights::Networks;
    use crate::output::Settings;

    fn predictor() -> Predictor {
        let (config, device) = (Config::default(), device::by_name("flex").unwrap());
        let networks = Networks::new(config, &device).unwrap();
        Predictor::of_networks(&networks, &device).unwrap()
    }

    /// Until somebody has written to `file`; gives up after a while.
    fn wait_for(file: &Path) {
        let begun = Instant::now();
        while file.metadata().is_ok_and(|data| data.len() == 0) {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody works");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn photos_are_looked_at_while_others_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        let (path, out) = (dir.path().join("a.png"), dir.path());
        image::RgbImage::new(32, 24).save(&path).unwrap();
        let predictor = predictor();
        let options = DetectOptions::from(&predictor.config().detect);
        let (outputs, limits) = (Outputs::default(), Limits::default());
        let worker = Worker::new(&predictor, options, outputs, out, limits, 2);
        let journal = Shared::new(Journal::start(out, false, &Settings::new()).unwrap());
        // The others are found when the first one has its line.
        let mut photos = (0..3).map(|place| {
            if place == 1 {
                wait_for(&out.join("detections.jsonl.part"));
            }
            Photo {
                path: path.clone(),
                relative: format!("{place}.png").into(),
                place,
            }
        });
        let mut tally = Tally::default();
        let mut desk = Desk {
            journal: &journal,
            progress: &Progress::new(),
            tally: &mut tally,
        };
        let crew = Crew::new(2, 2).unwrap();
        crew.work(&worker, &mut photos, &mut desk).unwrap();
        assert_eq!((tally.done, tally.failed), (3, 0));
    }
}
