//! Arguments of `retinamark check-data`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SettingsArgs;

/// Arguments of `retinamark check-data`.
#[derive(Debug, Args)]
pub struct CheckDataArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Folder for the drawings
    #[arg(long, value_name = "DIR", default_value = "performance_check/data")]
    pub out: PathBuf,
    /// Photos to draw
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub photos: usize,
    /// Which sources to look at
    #[arg(long, value_enum, default_value_t = Split::Train)]
    pub split: Split,
    /// Draw the positive anchors of the crops too
    #[arg(long)]
    pub anchors: bool,
    /// Decode every photo, to find broken ones
    #[arg(long)]
    pub decode: bool,
}

/// Sources of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// data.train
    Train,
    /// data.validation
    Validation,
}
