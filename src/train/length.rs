//! How long a run is, and its learning rates.

use anyhow::{Result, ensure};

use crate::config::Config;
use crate::data::Dataset;
use crate::optim::Schedule;

/// What an epoch consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Micro-batches.
    pub batches: usize,
    /// Optimiser steps.
    pub steps: usize,
}

impl Length {
    /// Of the epochs of a run with these photos.
    ///
    /// # Errors
    /// When there is none to train on.
    pub fn of(config: &Config, dataset: &Dataset) -> Result<Self> {
        let photos = dataset.epoch(config, 0).len();
        let batches = photos.div_ceil(config.train.batch_size.max(1));
        ensure!(batches > 0, "data.train gives no photo to train on");
        let steps = batches.div_ceil(config.optimizer.accumulate.max(1));
        Ok(Self { batches, steps })
    }
}

/// The learning rates of a whole run whose epochs have `steps_per_epoch` optimiser steps.
pub fn schedule(config: &Config, steps_per_epoch: usize) -> Schedule {
    Schedule::new(
        &config.schedule,
        config.optimizer.learning_rate,
        steps_per_epoch * config.train.epochs,
        steps_per_epoch,
    )
}
