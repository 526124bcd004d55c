//! Many photos at the same time.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyIterator;
use rayon::ThreadPool;
use retinamark_core::Result;
use retinamark_core::geometry::Face;

use crate::detector::{Looks, Seen};
use crate::error::{SettingsError, exception};
use crate::photo::Photo;
use crate::pools;

/// How long Ctrl-C may go unheard.
const TICK: Duration = Duration::from_millis(50);

/// What becomes of a photo that fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// The batch ends, with its exception.
    Raise,
    /// Its exception stands in its place.
    Return,
}

impl FromPyObject<'_, '_> for Errors {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        match given.extract::<String>()?.as_str() {
            "raise" => Ok(Self::Raise),
            "return" => Ok(Self::Return),
            _ => Err(SettingsError::new_err(
                "errors: choose \"raise\" or \"return\"",
            )),
        }
    }
}

/// What was found in a photo that is not kept.
pub struct Faces {
    /// Best first.
    pub faces: Vec<Face>,
    /// Width and height of the upright photo.
    pub size: (u32, u32),
}

/// A photo and its place in the batch.
type Job = (usize, Photo);

/// What came of it.
type Done = (usize, Result<Faces>);

/// Look at what `photos` gives, at so many at a time (`None`: one a core), while others run Python. In the
/// order of the photos; of a batch that raises no place holds an error.
///
/// # Errors
/// That of the first photo that fails, if it is to be raised; KeyboardInterrupt; what `photos` raises.
pub fn run(
    looks: &Looks,
    photos: &Bound<'_, PyAny>,
    threads: Option<usize>,
    errors: Errors,
) -> PyResult<Vec<PyResult<Faces>>> {
    let pools = pools_for(photos, threads)?;
    let (jobs, waiting) = mpsc::channel();
    let (results, done) = mpsc::channel();
    let (waiting, stop) = (&Mutex::new(waiting), &AtomicBool::new(false));
    let mut batch = Batch {
        photos: photos.try_iter()?,
        jobs,
        done: Results(done),
        found: Vec::new(),
        in_work: 0,
        ended: false,
        errors,
    };
    thread::scope(|scope| {
        for pool in &pools {
            let results = results.clone();
            scope.spawn(move || work(pool, looks, waiting, &results, stop));
        }
        drop(results);
        let outcome = batch.feed(photos.py(), 2 * pools.len());
        stop.store(true, Ordering::Relaxed);
        batch.end(photos.py());
        outcome
    })
}

/// Each photo in work has threads of its own: with a shared pool, a thread that waits for a part of one photo
/// would begin another, and hold both in memory.
fn pools_for(photos: &Bound<'_, PyAny>, threads: Option<usize>) -> PyResult<Vec<ThreadPool>> {
    let cores = pools::cores();
    let most = photos.len().unwrap_or(usize::MAX);
    let count = threads.unwrap_or(cores).min(most).max(1);
    (0..count)
        .map(|_| pools::of((cores / count).max(1)))
        .collect()
}

fn work(
    pool: &ThreadPool,
    looks: &Looks,
    waiting: &Mutex<Receiver<Job>>,
    results: &Sender<Done>,
    stop: &AtomicBool,
) {
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv()
    };
    while let Ok((place, photo)) = next() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let found = pool.install(|| looks.find(photo));
        let found = found.map(|Seen { faces, photo }| Faces {
            faces,
            size: photo.dimensions(),
        });
        if results.send((place, found)).is_err() {
            return;
        }
    }
}

/// The side of Python: takes photos as they are needed, and what comes of them.
struct Batch<'py> {
    photos: Bound<'py, PyIterator>,
    jobs: Sender<Job>,
    done: Results,
    found: Vec<Option<PyResult<Faces>>>,
    in_work: usize,
    ended: bool,
    errors: Errors,
}

impl Batch<'_> {
    /// With no more than `ahead` photos in memory.
    fn feed(&mut self, py: Python<'_>, ahead: usize) -> PyResult<Vec<PyResult<Faces>>> {
        loop {
            while !self.ended && self.in_work < ahead {
                self.take()?;
            }
            if self.in_work == 0 {
                break;
            }
            if let Some((place, found)) = py.detach(|| self.done.next()) {
                self.in_work -= 1;
                self.keep(place, found.map_err(|error| exception(&error)));
            }
            py.check_signals()?;
        }
        let found = mem::take(&mut self.found).into_iter().flatten();
        match self.errors {
            Errors::Return => Ok(found.collect()),
            Errors::Raise => found.map(|one| one.map(Ok)).collect(),
        }
    }

    /// Others run Python while photos in work end.
    fn end(self, py: Python<'_>) {
        let Self { jobs, mut done, .. } = self;
        drop(jobs);
        py.detach(|| done.rest());
    }

    /// The next photo, if there is one.
    fn take(&mut self) -> PyResult<()> {
        let Some(given) = self.photos.next() else {
            self.ended = true;
            return Ok(());
        };
        let place = self.found.len();
        self.found.push(None);
        match Photo::of(&given?) {
            Ok(photo) => {
                self.in_work += 1;
                // Somebody takes it: they work until nothing more can come.
                let _ = self.jobs.send((place, photo));
            }
            Err(error) => self.keep(place, Err(error)),
        }
        Ok(())
    }

    fn keep(&mut self, place: usize, found: PyResult<Faces>) {
        self.ended |= found.is_err() && self.errors == Errors::Raise;
        self.found[place] = Some(found);
    }
}

/// Waits without holding up Python; a type of its own because only `&mut` may leave it.
struct Results(Receiver<Done>);

impl Results {
    /// `None` when nothing has come for a while.
    fn next(&mut self) -> Option<Done> {
        self.0.recv_timeout(TICK).ok()
    }

    /// Until nothing more can come.
    fn rest(&mut self) {
        self.0.iter().for_each(drop);
    }
}
