//! Long work that Ctrl-C ends.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

/// How long Ctrl-C may go unheard.
const TICK: Duration = Duration::from_millis(50);

/// Do `work` on a thread of its own, while others run Python; it has to end soon after the flag that it is
/// given is set. Its panics go on here.
///
/// # Errors
/// What a signal raised, such as KeyboardInterrupt.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> T + Send,
) -> PyResult<T> {
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(move || work(stop));
        let mut raised = Ok(());
        while !worker.is_finished() {
            py.detach(|| thread::sleep(TICK));
            if raised.is_ok() {
                raised = py.check_signals();
                stop.store(raised.is_err(), Ordering::Relaxed);
            }
        }
        let done = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        raised.map(|()| done)
    })
}
