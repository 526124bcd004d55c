//! One file per subcommand: orchestration only.

mod bench;
mod check_data;
mod config;
mod detect;
mod evaluate;
mod export;
mod extract;
mod info;
mod label;
mod looks;
mod pack;
mod serve;
mod sources;
mod sweep;
mod synth;
mod table;
mod train;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::console;

pub use evaluate::report as evaluation_report;

/// Run what the command line asks for, and say what stopped it.
pub fn finish(cli: Cli) -> ExitCode {
    run(cli).unwrap_or_else(|error| {
        console::note(format!("error: {error:#}"));
        ExitCode::from(1)
    })
}

/// Run what the command line asks for.
///
/// # Errors
/// Whatever stops the whole command; failures of single files are reported and counted instead.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Detect(args) => detect::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Train(args) => train::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::CheckData(args) => check_data::run(args),
        Command::Synth(args) => synth::run(args),
        Command::Config(args) => config::run(args),
        Command::Label(args) => label::run(args),
        Command::Extract(args) => extract::run(args),
        Command::Info(args) => info::run(args),
        Command::Pack(args) => pack::run(args),
        Command::Export(args) => export::run(args),
        Command::Bench(args) => bench::run(args),
    }
}
