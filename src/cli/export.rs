//! Arguments of `retinamark export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `retinamark export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Weights file [default: the shipped one]
    #[arg(long, short, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// The ONNX file to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Which of the file's networks [default: the detector, if there is one]
    #[arg(long, value_enum)]
    pub what: Option<ExportWhat>,
    /// Which of several aligners, in the order in which they look
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub stage: u16,
    /// Side of the square input in pixels, or `dynamic` for any size; an aligner has its own
    /// [default: detect.size, 640]
    #[arg(long, value_name = "N|dynamic", value_parser = parse_size)]
    pub size: Option<ExportSize>,
    /// Give scores, boxes and landmarks in pixels instead of logits and deltas (a detector of a
    /// fixed size)
    #[arg(long)]
    pub decoded: bool,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

/// A network of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportWhat {
    /// Photos to faces
    Detector,
    /// Crops of faces to landmarks
    Aligner,
}

/// Which inputs the file is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportSize {
    /// Squares of this side.
    Fixed(u32),
    /// Any.
    Dynamic,
}

fn parse_size(text: &str) -> Result<ExportSize, String> {
    if text == "dynamic" {
        return Ok(ExportSize::Dynamic);
    }
    match text.parse() {
        Ok(side @ 1..=16_384) => Ok(ExportSize::Fixed(side)),
        _ => Err("a side from 1 to 16384, or dynamic".to_owned()),
    }
}
