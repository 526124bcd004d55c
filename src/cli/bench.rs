//! Arguments of `retinamark bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DeviceArgs;

/// Arguments of `retinamark bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to measure
    #[arg(long, value_enum, default_value = "forward")]
    pub what: Work,
    /// Side of the square network input, pixels; `detect`: the longer side of the input
    /// [default: detect.size, for train train.crop; of an aligner aligner.side]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(32..=4096))]
    pub size: Option<u32>,
    /// Images at a time [default: 1, for train train.batch_size]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub batch: Option<u16>,
    /// Threads; 0 is one per core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Measured repetitions, after a few that warm up
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub iterations: u32,
    /// Where networks run.
    #[command(flatten)]
    pub compute: DeviceArgs,
    /// Measure this weights file [default: the shipped one; without it a network of the default
    /// settings with random weights]
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub weights: Option<PathBuf>,
    /// Measure a network of these settings with random weights
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Change one setting of the network or, of weights, of how they are used (detect.size=320);
    /// may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Photo that `detect` reads [default: a drawn JPEG of 1280 x 960 pixels]
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// The network on a batch of tensors, all landmarks left out
    Forward,
    /// From the file of a photo to the line with its faces, and the share of each stage; a batch is
    /// that many photos, as many at a time as there are threads
    Detect,
    /// The second look at the faces of a photo, from its pixels to their landmarks; a batch is that
    /// many faces
    Align,
    /// A step of training: forward, loss, backward, optimiser
    Train,
}
