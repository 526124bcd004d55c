//! `retinamark pack`.

mod bytes;
mod confidence;

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::cli::PackArgs;
use crate::model::weights::{self, Networks, Precision};
use crate::{console, fs};

/// Run the subcommand.
///
/// # Errors
/// When a file cannot be read, has not what it should have, or cannot be written.
pub fn run(args: PackArgs) -> Result<ExitCode> {
    let out = args.out.display();
    ensure!(
        args.force || !args.out.exists(),
        "{out} exists already: choose another --out, or replace it with --force"
    );
    fs::check_parent(&args.out)?;
    let mut networks = Networks::load_with(&args.weights, &args.aligner)?;
    let precision = if args.half {
        Precision::F16
    } else {
        Precision::F32
    };
    if args.int8 {
        networks = bytes::in_bytes(networks, &args)?;
    }
    if let Some(list) = &args.confidence {
        networks = confidence::measured(networks, list)?;
    }
    weights::save_networks(&networks, precision, &args.out)?;
    let bytes = std::fs::metadata(&args.out).with_context(|| out.to_string())?;
    console::say(format!("{out}: {} bytes", bytes.len()));
    Ok(ExitCode::SUCCESS)
}
