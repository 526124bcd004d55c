//! Arguments of `retinamark config`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::SettingsArgs;

/// Arguments of `retinamark config`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct ConfigArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Draw the learning rate of every step of the run into a PNG file
    #[arg(long, value_name = "FILE", group = "what")]
    pub plot_schedule: Option<PathBuf>,
    /// Print every setting with its default and what it means, as a file to start from
    #[arg(long, group = "what", conflicts_with_all = ["config", "sets", "steps_per_epoch"])]
    pub defaults: bool,
    /// Optimiser steps of an epoch [default: as many as the photos of data.train make]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps_per_epoch: Option<u32>,
}
