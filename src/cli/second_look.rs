//! Arguments of commands that look again at faces.

use std::path::{Path, PathBuf};

use clap::Args;

/// Which aligner looks, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct SecondLookArgs {
    /// Weights of the aligner, if they are in another file; several times for aligners that look one
    /// after another
    #[arg(long, value_name = "FILE")]
    pub aligner: Vec<PathBuf>,
    /// Another detector for the first look: an SCRFD detector as ONNX, or a file of this program
    #[arg(long, value_name = "FILE")]
    pub detector: Option<PathBuf>,
    /// Only the first look: coarse landmarks, in one pass
    #[arg(long, conflicts_with_all = ["aligner", "passes", "flip"])]
    pub one_pass: bool,
    /// How often each aligner looks at each face [default:
    /// aligner.passes, 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub passes: Option<u8>,
    /// Have the aligners look at mirrored crops too, and take the mean [default: aligner.flip,
    /// false]
    #[arg(long)]
    pub flip: bool,
}

impl SecondLookArgs {
    /// The file of the first look, and those of aligners beside it, where `weights` is the file of both
    /// looks.
    pub fn files<'a>(&'a self, weights: &'a Path) -> (&'a Path, Vec<PathBuf>) {
        match &self.detector {
            None => (weights, self.aligner.clone()),
            Some(detector) if self.one_pass || !self.aligner.is_empty() => {
                (detector, self.aligner.clone())
            }
            Some(detector) => (detector, vec![weights.to_owned()]),
        }
    }
}
