//! Arguments of `retinamark check-data`.

use clap::Args;

/// Arguments of `retinamark check-data`.
#[derive(Debug, Args)]
pub struct CheckDataArgs {}
