//! Arguments of `retinamark synth`.

use clap::Args;

/// Arguments of `retinamark synth`.
#[derive(Debug, Args)]
pub struct SynthArgs {}
