//! Arguments of `retinamark sweep`.

use std::path::PathBuf;

use clap::Args;

use super::{DevicesArgs, SettingsArgs};

/// Arguments of `retinamark sweep`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct SweepArgs {
    /// Settings that all runs share.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// A setting and the values to try; given several times, all combinations are trained
    #[arg(long, value_name = "KEY=VALUE,VALUE...", required = true)]
    pub grid: Vec<String>,
    /// Folder of the runs and of the table, sweep.md and sweep.csv. What was begun there goes on
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Runs at a time
    #[arg(long, short, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
    /// Try runs that failed again
    #[arg(long)]
    pub retry: bool,
    /// Where it learns.
    #[command(flatten)]
    pub devices: DevicesArgs,
}

const EXAMPLE: &str = "\
Example:
  retinamark sweep --config base.yaml --grid optimizer.learning_rate=0.1,0.2,0.3 --grid train.batch_size=2,4,8 --out study

Each combination is a run of `retinamark train` in study/NAME/YYYY-MM-DD_HH-MM-SS; its words are in train.log there.";
