//! Arguments of `retinamark info`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `retinamark info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Weights file [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Side of the square input that multiply-adds are counted for, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 640,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub size: u32,
}
