//! Arguments of `retinamark pack`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `retinamark pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// Weights of a detector, or of an aligner alone
    #[arg(long, short, value_name = "FILE")]
    pub weights: PathBuf,
    /// Weights with the aligner that travels with the detector from now on; several times for
    /// aligners that look one after another, the first one first. Where the weights hold aligners only,
    /// these look after them
    #[arg(long, value_name = "FILE")]
    pub aligner: Vec<PathBuf>,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Store numbers in 16 bits instead of 32
    #[arg(long)]
    pub half: bool,
    /// Compute convolutions in 8 bits: faster and smaller, on the processor only; it cannot be trained
    /// on. Landmark heads of the first look stay as they are. Networks that were trained so
    /// (train.quantize_after) know how far their numbers reach; for others see --calibrate
    #[arg(long)]
    pub int8: bool,
    /// Photos that show how far numbers reach inside the networks: a list named as under
    /// `evaluate --data`; a few dozen are enough
    #[arg(long, value_name = "LIST", requires = "int8")]
    pub calibrate: Option<String>,
    /// Photos of the list that are looked at, spread over it
    #[arg(long, value_name = "N", default_value_t = 128, requires = "int8")]
    pub photos: usize,
    /// Largest share by which a convolution in 8 bits may change the networks' outputs by itself;
    /// those that change more stay in 32
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, requires = "int8")]
    pub max_loss: f32,
    /// Labelled faces, named as under `evaluate --data`, that show what the confidences of landmarks are
    /// worth: how often a point of each confidence lies within 5 % of the face of the truth
    #[arg(long, value_name = "LIST")]
    pub confidence: Option<String>,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}
