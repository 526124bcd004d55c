//! Arguments of `retinamark train`.

use clap::Args;

use super::SettingsArgs;

/// Arguments of `retinamark train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Continue the run in train.out from its newest checkpoint; without --config with the settings
    /// that the run has saved there
    #[arg(long)]
    pub resume: bool,
    /// Device to train on: flex (this machine's CPU), or one whose feature is built in
    #[arg(long, default_value = "flex", value_name = "NAME")]
    pub device: String,
}
