//! Command-line arguments only; one file per subcommand.

mod bench;
mod check_data;
mod config;
mod detect;
mod device;
mod evaluate;
mod export;
mod extract;
mod info;
mod label;
mod lists;
mod look;
mod pack;
mod second_look;
mod serve;
mod settings;
mod sweep;
mod synth;
mod train;

use clap::{Parser, Subcommand};

pub use bench::{BenchArgs, Work};
pub use check_data::{CheckDataArgs, Split};
pub use config::ConfigArgs;
pub use detect::{DetectArgs, Save};
pub use device::{DeviceArgs, DevicesArgs, EngineKind};
pub use evaluate::{EvaluateArgs, FaceBoxes};
pub use export::{ExportArgs, ExportSize, ExportWhat};
pub use extract::{ExtractArgs, PointFile};
pub use info::InfoArgs;
pub use label::LabelArgs;
pub use look::LookArgs;
pub use pack::PackArgs;
pub use second_look::SecondLookArgs;
pub use serve::ServeArgs;
pub use settings::SettingsArgs;
pub use sweep::SweepArgs;
pub use synth::SynthArgs;
pub use train::TrainArgs;

/// Find faces and their 98 landmarks; train and check the detector that does it.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find faces and landmarks in photos and folders of photos
    Detect(DetectArgs),
    /// Find faces for other programs and in a page of the browser, over HTTP
    Serve(ServeArgs),
    /// Train a detector
    Train(TrainArgs),
    /// Train all combinations of some settings, and compare them in one table
    Sweep(SweepArgs),
    /// Measure a detector on labelled photos
    Evaluate(EvaluateArgs),
    /// Draw labelled faces as training sees them, and count what was skipped
    CheckData(CheckDataArgs),
    /// Show what settings mean
    Config(ConfigArgs),
    /// Give faces that have a box their landmarks, as a WFLW list to train on
    Label(LabelArgs),
    /// Cut labelled faces out as a detector finds them, as crops to train an aligner on
    Extract(ExtractArgs),
    /// Draw synthetic faces with exact landmarks in WFLW format
    Synth(SynthArgs),
    /// Show what a weights file holds
    Info(InfoArgs),
    /// Put a detector and an aligner into one weights file, or weights into 16 or 8 bits
    Pack(PackArgs),
    /// Write a network as an ONNX file for other programs
    Export(ExportArgs),
    /// Measure speed and memory
    Bench(BenchArgs),
}
