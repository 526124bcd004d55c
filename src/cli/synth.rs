//! Arguments of `retinamark synth`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `retinamark synth`.
#[derive(Debug, Args)]
#[command(after_help = "\
Then: retinamark train --config DIR/config.yaml")]
pub struct SynthArgs {
    /// Folder for images/, train.txt, val.txt and config.yaml
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// Number of photos
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub photos: usize,

    /// Most faces of a photo; each has at least one
    #[arg(long, value_name = "MAX", default_value_t = 3)]
    pub faces_per_photo: usize,

    /// Width and height of the photos, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 320)]
    pub size: u32,

    /// The same seed gives the same photos
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Share of the photos that goes into the validation list
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub split: f32,
}
