//! Arguments of `retinamark config`.

use std::path::PathBuf;

use clap::Args;

use super::SettingsArgs;

/// Arguments of `retinamark config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Draw the learning rate of every step of the run into a PNG file
    #[arg(long, value_name = "FILE", required = true)]
    pub plot_schedule: PathBuf,
    /// Optimiser steps of an epoch [default: as many as the photos of data.train make]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps_per_epoch: Option<u32>,
}
