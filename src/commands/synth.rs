//! `retinamark synth`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::SynthArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: SynthArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
