//! Command-line arguments only; one file per subcommand.

mod bench;
mod check_data;
mod detect;
mod evaluate;
mod info;
mod synth;
mod train;

use clap::{Parser, Subcommand};

pub use bench::{BenchArgs, Work};
pub use check_data::{CheckDataArgs, Split};
pub use detect::{DetectArgs, Save};
pub use evaluate::EvaluateArgs;
pub use info::InfoArgs;
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
    /// Train a detector
    Train(TrainArgs),
    /// Measure a detector on labelled photos
    Evaluate(EvaluateArgs),
    /// Draw labelled faces as training sees them, and count what was skipped
    CheckData(CheckDataArgs),
    /// Draw synthetic faces with exact landmarks in WFLW format
    Synth(SynthArgs),
    /// Show what a weights file holds
    Info(InfoArgs),
    /// Measure speed and memory
    Bench(BenchArgs),
}
