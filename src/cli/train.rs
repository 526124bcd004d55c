//! Arguments of `retinamark train`.

use clap::Args;

use super::{DevicesArgs, SettingsArgs};

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
    /// Where it learns.
    #[command(flatten)]
    pub devices: DevicesArgs,
}
