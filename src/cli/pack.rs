//! Arguments of `retinamark pack`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `retinamark pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// Weights of a detector, or of an aligner alone
    #[arg(long, short, value_name = "FILE")]
    pub weights: PathBuf,
    /// Weights with the aligner that travels with the detector from now on
    #[arg(long, value_name = "FILE")]
    pub aligner: Option<PathBuf>,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Store numbers in 16 bits instead of 32
    #[arg(long)]
    pub half: bool,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}
