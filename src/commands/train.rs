//! `retinamark train`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::TrainArgs;
use crate::config::Config;
use crate::train::{Ended, Start};
use crate::{console, interrupt, train};

/// Run the subcommand.
///
/// # Errors
/// When the config, the data or the folder are not fit for the run, or a number is not finite.
pub fn run(args: TrainArgs) -> Result<ExitCode> {
    let devices = args.devices.open()?;
    let config = load_config(&args)?;
    interrupt::listen()?;
    let start = if args.resume {
        Start::Resumed
    } else {
        Start::Fresh
    };
    let out = config.train.out.display();
    match train::train(&config, start, &devices)? {
        Ended::Done => Ok(ExitCode::SUCCESS),
        Ended::Interrupted => {
            console::note(format!(
                "stopped; the checkpoint is in {out}, continue with --resume"
            ));
            Ok(ExitCode::from(interrupt::EXIT_CODE))
        }
    }
}

/// The settings of the command line. A run that goes on takes those it has saved, unless it is
/// given others.
fn load_config(args: &TrainArgs) -> Result<Config> {
    let config = args.settings.load()?;
    let saved = config.train.out.join("config.yaml");
    if args.resume && args.settings.config.is_none() && saved.exists() {
        return Config::load(Some(&saved), &args.settings.sets);
    }
    Ok(config)
}
