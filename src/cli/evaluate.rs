//! Arguments of `retinamark evaluate`.

use clap::Args;

/// Arguments of `retinamark evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {}
