//! Arguments of commands that look again at faces.

use std::path::PathBuf;

use clap::Args;

/// Which aligner looks, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct SecondLookArgs {
    /// Weights of the aligner, if they are in another file; several times for aligners that look one
    /// after another
    #[arg(long, value_name = "FILE")]
    pub aligner: Vec<PathBuf>,
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
