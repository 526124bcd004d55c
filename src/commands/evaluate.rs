//! `retinamark evaluate`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::EvaluateArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: EvaluateArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
