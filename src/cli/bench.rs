//! Arguments of `retinamark bench`.

use clap::Args;

/// Arguments of `retinamark bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {}
