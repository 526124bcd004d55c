//! Ctrl-C: the first press asks for a clean end, the second one ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::console;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Exit code after Ctrl-C, as shells have it: 128 plus the number of SIGINT.
pub const EXIT_CODE: u8 = 130;

/// Listen for Ctrl-C and, on Unix, for requests to end and a closed terminal. A signal that was
/// ignored when the program started (`nohup`) stays ignored. Call once, at the start of a long
/// command.
///
/// # Errors
/// When another handler is installed already.
pub fn listen() -> Result<()> {
    imp::listen().context("cannot listen for Ctrl-C")
}

/// Whether the user has asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Ask for the end. A second Ctrl-C is impatience; a second hang-up or request to end is a shell
/// and a kernel saying the same thing, and must not cost the checkpoint.
fn request(is_ctrl_c: bool) {
    match REQUESTED.swap(true, Ordering::Relaxed) {
        false => console::note("\nstopping cleanly; press Ctrl-C again to stop at once"),
        true if is_ctrl_c => std::process::exit(i32::from(EXIT_CODE)),
        true => {}
    }
}

#[cfg(unix)]
mod imp {
    use std::io::Result;

    use libc::c_int;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    pub(super) fn listen() -> Result<()> {
        let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter();
        let mut signals = Signals::new(wanted.filter(|&signal| !is_ignored(signal)))?;
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                signals
                    .forever()
                    .for_each(|signal| super::request(signal == SIGINT))
            })?;
        Ok(())
    }

    fn is_ignored(signal: c_int) -> bool {
        // SAFETY: with no new action, `sigaction` only writes the present one into `action`, which
        // is a plain structure that may start as zeros.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &mut action) == 0
                && action.sa_sigaction == libc::SIG_IGN
        }
    }
}

#[cfg(not(unix))]
mod imp {
    pub(super) fn listen() -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(|| super::request(true))
    }
}
