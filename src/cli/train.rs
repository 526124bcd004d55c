//! Arguments of `retinamark train`.

use clap::Args;

/// Arguments of `retinamark train`.
#[derive(Debug, Args)]
pub struct TrainArgs {}
