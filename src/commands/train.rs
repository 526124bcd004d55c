//! `retinamark train`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::TrainArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: TrainArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
