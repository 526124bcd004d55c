//! Arguments of `retinamark info`.

use clap::Args;

/// Arguments of `retinamark info`.
#[derive(Debug, Args)]
pub struct InfoArgs {}
