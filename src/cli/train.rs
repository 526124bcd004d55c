//! Arguments of `retinamark train`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `retinamark train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Settings; without it config.yaml in the working directory, with --resume the copy that the
    /// run has saved
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Change one setting, for example train.epochs=10; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Continue the run in train.out from its newest checkpoint
    #[arg(long)]
    pub resume: bool,
    /// Device to train on: flex (this machine's CPU), or one whose feature is built in
    #[arg(long, default_value = "flex", value_name = "NAME")]
    pub device: String,
}
