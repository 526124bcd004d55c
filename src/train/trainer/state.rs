//! What of a trainer outlives it: weights and checkpoints.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Trainer;
use crate::config::Config;
use crate::kinds::Kinds;
use crate::loss::Learn;
use crate::optim::{Ema, Layout};
use crate::train::checkpoint::{Best, Checkpoint, State};

impl<N: Learn> Trainer<N> {
    /// Remember a validation; says whether it is the best one so far. One that could not be measured
    /// never is: nothing would be better than what is not a number.
    pub fn offer_best(&mut self, candidate: Best) -> bool {
        let better = candidate.badness.is_finite()
            && self
                .best
                .is_none_or(|best| candidate.badness < best.badness);
        if better {
            self.best = Some(candidate);
        }
        better
    }

    /// The model with averaged weights, for inference.
    pub fn averaged_model(&self) -> N {
        let model = self.model.valid();
        self.optimizer.layout().write(model, self.ema.values())
    }

    /// Everything to continue from here.
    pub fn checkpoint(&mut self) -> Checkpoint {
        self.optimizer.sync_statistics(&self.model.valid());
        Checkpoint {
            state: State {
                position: self.position.clone(),
                sums: self.sums.clone(),
                best: self.best,
                ema_updates: self.ema.updates(),
                tensor_updates: self.optimizer.state().updates.clone(),
                ranges: self.model.input_ranges(),
            },
            weights: self.optimizer.values().to_vec(),
            ema: self.ema.values().to_vec(),
            optimizer: self.optimizer.state().clone(),
        }
    }

    /// Continue from `path`. Gives the config that it was written with.
    ///
    /// # Errors
    /// When it is not a checkpoint of this model.
    pub fn restore(&mut self, path: &Path) -> Result<Config> {
        let (saved, config) = Checkpoint::load(path, self.optimizer.layout())?;
        ensure!(
            config.optimizer.kind.name() == self.config.optimizer.kind.name(),
            "cannot continue from {}: it was trained with optimizer.kind {}, not {}",
            path.display(),
            config.optimizer.kind.name(),
            self.config.optimizer.kind.name()
        );
        let layout = self.optimizer.layout();
        self.model = layout.write(self.model.clone(), &saved.weights);
        if let Some(ranges) = saved.state.ranges {
            self.model = self.model.clone().in_bytes(ranges);
        }
        self.optimizer
            .restore(saved.weights, saved.optimizer)
            .with_context(|| format!("cannot continue from {}", path.display()))?;
        let decay = self.config.optimizer.ema_decay;
        self.ema = Ema::resumed(decay, saved.ema, saved.state.ema_updates);
        self.position = saved.state.position;
        self.sums = saved.state.sums;
        self.best = saved.state.best;
        Ok(config)
    }

    /// Layout of the flat vectors in a checkpoint.
    pub const fn layout(&self) -> &Layout {
        self.optimizer.layout()
    }
}
