//! The `retinamark` program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use retinamark::{cli::Cli, commands};

/// burn's CPU backends allocate a lot; this allocator makes them a fifth faster or more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}
