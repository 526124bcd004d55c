//! Arguments of every command that takes settings.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::config::Config;

/// The end of the help of commands whose settings may come with weights.
pub(super) const WHERE_DEFAULTS_COME_FROM: &str = "\
Where a default is called detect.score or the like, these win, in this order: the option itself; --set \
detect.score=...; detect.score in the file of --config, or without --config in config.yaml of the working \
directory, if it is there; the setting that travels with the weights. What stands in brackets is what the \
shipped weights say.";

/// Settings of a file, and single ones.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgs {
    /// Settings file [default: config.yaml in the working directory, if it is there]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Change one setting, for example detect.score=0.4; may be given many times, wins over the
    /// file
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

impl SettingsArgs {
    /// The settings of a command that takes no weights.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load(&self) -> Result<Config> {
        Config::load(self.config.as_deref(), &self.sets)
    }
}
