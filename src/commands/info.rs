//! `retinamark info`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::InfoArgs;

/// Run the subcommand.
///
/// # Errors
/// Not built yet.
pub fn run(_args: InfoArgs) -> Result<ExitCode> {
    anyhow::bail!("not built yet")
}
