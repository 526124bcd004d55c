//! `retinamark detect`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::DetectArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: DetectArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
