//! The `retinamark` program: parse, run, exit code.

use std::ffi::{c_int, c_long};
use std::process::ExitCode;

use clap::Parser;
use retinamark::{cli::Cli, commands};

/// burn's CPU backends allocate a lot; this allocator makes them a fifth faster or more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_freed_memory();
    commands::finish(Cli::parse())
}

/// Hand freed memory back to the system after 10 s instead of 10 ms: every training step would
/// otherwise fault its pages in anew, a third of its processor time.
fn keep_freed_memory() {
    unsafe extern "C" {
        fn mi_option_set(option: c_int, value: c_long);
    }
    /// `mi_option_purge_delay` of mimalloc 2 and 3, in milliseconds.
    const PURGE_DELAY: c_int = 15;
    // SAFETY: the function of the allocator that this program is linked with; it only stores the
    // value, and no other thread runs yet.
    unsafe { mi_option_set(PURGE_DELAY, 10_000) };
}
