//! Threads to compute on.

use std::mem;
use std::num::NonZero;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use pyo3::PyResult;
use rayon::{ThreadPool, ThreadPoolBuilder};
use retinamark_core::panics;

use crate::error::RetinamarkError;

/// The pool of all single photos, and the process that it is of.
static SHARED: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// How many threads run at the same time.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The threads that photos share which are looked at one by one: one a core, or as many as
/// `RAYON_NUM_THREADS` says.
///
/// # Errors
/// When the system gives none.
pub fn shared() -> PyResult<Arc<ThreadPool>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((process, pool)) = &*shared
        && *process == process::id()
    {
        return Ok(pool.clone());
    }
    let pool = Arc::new(of(0)?);
    // A process that was forked has the pool of its parent but none of its threads: whoever waits for them, as
    // the pool's end does, waits for ever.
    mem::forget(shared.replace((process::id(), pool.clone())));
    Ok(pool)
}

/// A pool of so many threads; 0: one a core.
///
/// # Errors
/// When the system gives none.
pub fn of(threads: usize) -> PyResult<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .start_handler(|_| panics::passed_on())
        .build()
        .map_err(|error| RetinamarkError::new_err(format!("cannot start threads: {error}")))
}
