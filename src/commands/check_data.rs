//! `retinamark check-data`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::CheckDataArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: CheckDataArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
