//! Arguments of `retinamark extract`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::lists::LISTS;
use super::{DeviceArgs, SettingsArgs};

/// What is written.
const CROPS: &str = "\
Writes OUT/train and OUT/val: square .png files, and beside each of them its points as .npts (from 0 to 1 \
over the crop) or .cpts (from -1 to 1); then the lists OUT/train.txt and OUT/val.txt, which are sources of \
kind `crops`. Points are those of landmarks.scheme (--set landmarks.scheme=ibug68), whatever the detector's are. All faces of a photo go to the same part. Without the lists the crops are those of a call \
that was stopped: the same call writes them anew.";

/// Arguments of `retinamark extract`.
#[derive(Debug, Args)]
#[command(after_help = format!("{CROPS}\n\n{LISTS}"))]
pub struct ExtractArgs {
    /// Labelled photos, may be given several times [default: data.train of the settings]
    #[arg(long, short, value_name = "KIND:LIST[:IMAGES[:WIDER]]")]
    pub data: Vec<String>,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Folder to write to
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Weights of the detector [default: the shipped ones]
    #[arg(long, short, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Longer side of the detector's input, pixels [default: detect.size, 640]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(32..=8192))]
    pub size: Option<u32>,
    /// Lowest score of a detection
    #[arg(long, value_name = "0..1", default_value_t = 0.5, value_parser = unit)]
    pub score: f32,
    /// Lowest overlap (IoU) of a detection with the bounds of a face's points
    #[arg(long, value_name = "0..1", default_value_t = 0.4, value_parser = unit)]
    pub overlap: f32,
    /// How much longer a crop is than the longer side of the detection, as a share of that
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = unit)]
    pub extend: f32,
    /// Largest random turn to either side, degrees
    #[arg(long, value_name = "DEGREES", default_value_t = 0.0, value_parser = degrees)]
    pub rotation: f32,
    /// Largest random move of the crop along each axis, and change of its side, as shares of that
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = half)]
    pub jitter: f32,
    /// Share of the photos that is looked at
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = unit)]
    pub share: f32,
    /// Share of those whose crops go to OUT/val
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = unit)]
    pub split: f32,
    /// Side of the crops, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub crop_size: u32,
    /// How points are written; the lists name the first
    #[arg(long, value_enum, value_delimiter = ',', default_value = "npts")]
    pub save: Vec<PointFile>,
    /// The same seed gives the same crops
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Leave out bad lines and photos, and count them, instead of stopping
    #[arg(long)]
    pub skip_errors: bool,
    /// Replace the lists of an earlier call; crops of it that get no successor stay, unlisted
    #[arg(long)]
    pub force: bool,
    /// Where networks run.
    #[command(flatten)]
    pub compute: DeviceArgs,
}

/// Files of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PointFile {
    /// From 0 to 1
    Npts,
    /// From -1 to 1
    Cpts,
}

fn unit(text: &str) -> Result<f32, String> {
    up_to(text, 1.0)
}

fn half(text: &str) -> Result<f32, String> {
    up_to(text, 0.5)
}

fn degrees(text: &str) -> Result<f32, String> {
    up_to(text, 180.0)
}

fn up_to(text: &str, most: f32) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=most).contains(&value) => Ok(value),
        _ => Err(format!("expected a number from 0 to {most}")),
    }
}
