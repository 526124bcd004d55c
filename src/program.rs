//! How this program is started again: some commands start others.

use std::ffi::OsString;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};

static WORDS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Say how, where the process is another program that holds this one: its file, then arguments that
/// stand before the subcommand. The first call counts.
pub fn is_started_by(words: Vec<OsString>) {
    WORDS.get_or_init(|| words);
}

/// This program, without a subcommand yet.
///
/// # Errors
/// When the system does not say which file it is.
pub fn command() -> Result<Command> {
    if let Some([file, arguments @ ..]) = WORDS.get().map(Vec::as_slice) {
        let mut command = Command::new(file);
        command.args(arguments);
        return Ok(command);
    }
    let file = std::env::current_exe().context("cannot find myself")?;
    Ok(Command::new(file))
}
