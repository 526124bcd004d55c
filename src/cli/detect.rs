//! Arguments of `retinamark detect`.

use clap::Args;

/// Arguments of `retinamark detect`.
#[derive(Debug, Args)]
pub struct DetectArgs {}
