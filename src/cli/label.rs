//! Arguments of `retinamark label`.

use std::path::PathBuf;

use clap::Args;

use super::lists::LISTS;
use super::settings::WHERE_DEFAULTS_COME_FROM;
use super::{DeviceArgs, SettingsArgs};

/// What is written.
const LABELS: &str = "\
Writes OUT, a WFLW list of the faces that got landmarks, and OUT with `.disagreement` behind it: for each line \
how far ten looks at the face lie apart, as a share of its longer side. To train on both, put the lists, and the \
disagreements, of two files behind each other.";

/// Arguments of `retinamark label`.
#[derive(Debug, Args)]
#[command(after_help = format!("{LABELS}\n\n{LISTS}\n\n{WHERE_DEFAULTS_COME_FROM}"))]
pub struct LabelArgs {
    /// Lists that name the faces, as for `evaluate` [default: data.train of the settings]; faces that
    /// have landmarks are passed over, but not those whose landmarks max_disagreement drops
    #[arg(long, short, value_name = "KIND:LIST[:IMAGES[:WIDER]]")]
    pub data: Vec<String>,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The list to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Weights file [default: the shipped one]
    #[arg(long, short, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Weights of the aligner, if they are in another file; several times for aligners that look one
    /// after another
    #[arg(long, value_name = "FILE")]
    pub aligner: Vec<PathBuf>,
    /// Label anew also the faces that have landmarks
    #[arg(long)]
    pub all: bool,
    /// Smallest face that is labelled (square root of its box's area), pixels of the photo
    #[arg(long, value_name = "PIXELS", default_value_t = 24.0)]
    pub min_face: f32,
    /// Leave out faces on which the looks disagree more than this
    #[arg(long, value_name = "SHARE", default_value_t = 0.03)]
    pub max_disagreement: f32,
    /// Longer side of the network input, pixels [default: detect.size, 640]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(32..=8192))]
    pub size: Option<u32>,
    /// Leave out bad lines and photos, and count them, instead of stopping
    #[arg(long)]
    pub skip_errors: bool,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Where networks run.
    #[command(flatten)]
    pub compute: DeviceArgs,
}
