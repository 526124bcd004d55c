//! `retinamark bench`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::BenchArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: BenchArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
