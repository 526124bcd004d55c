//! The training loop: batches in, optimiser steps out.

mod bytes;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::checkpoint::{Best, Checkpoint, Position, State};
use super::figures::{Figures, LOSS};
use super::length::{Length, schedule};
use crate::config::Config;
use crate::data::{Batch, Dataset, Loader};
use crate::interrupt;
use crate::kinds::Kinds;
use crate::loss::{Learn, Losses};
use crate::optim::{Ema, Optimizer, Schedule};

/// How a stretch of training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It went through.
    Done,
    /// The user asked to stop; everything up to the last step is in the trainer.
    Interrupted,
}

/// A model in training, with everything that changes along the way.
pub struct Trainer<N: Learn> {
    config: Config,
    dataset: Arc<Dataset>,
    device: Device,
    model: N,
    loss: N::Loss,
    optimizer: Optimizer,
    ema: Ema,
    schedule: Schedule,
    position: Position,
    sums: Figures,
    best: Option<Best>,
    batches_per_epoch: usize,
    /// Photos of the gradients that are not stepped on yet.
    pending_names: Vec<Arc<str>>,
}

impl<N: Learn> Trainer<N> {
    /// Start training `model`, which lies on `device` (with autodiff), from its weights.
    ///
    /// # Errors
    /// When the config contradicts itself or the data does not make a single batch.
    pub fn new(config: &Config, dataset: Arc<Dataset>, model: N, device: &Device) -> Result<Self> {
        let length = Length::of(config, &dataset)?;
        bytes::check(config, length)?;
        let mut optimizer = Optimizer::new(&config.optimizer, &model);
        optimizer.sync_statistics(&model);
        Ok(Self {
            loss: N::loss(config)?,
            ema: Ema::new(config.optimizer.ema_decay, optimizer.values().to_vec()),
            schedule: schedule(config, length.steps),
            optimizer,
            position: Position::default(),
            sums: Figures::default(),
            best: None,
            batches_per_epoch: length.batches,
            pending_names: Vec::new(),
            config: config.clone(),
            dataset,
            device: device.clone(),
            model,
        })
    }

    /// Where the run stands.
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// Micro-batches of every epoch.
    pub const fn batches_per_epoch(&self) -> usize {
        self.batches_per_epoch
    }

    /// Sums of the epoch so far.
    pub const fn sums(&self) -> &Figures {
        &self.sums
    }

    /// The best validation so far.
    pub const fn best(&self) -> Option<Best> {
        self.best
    }

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

    /// Train until the end of the epoch, from wherever in it the run stands. `after_step` sees
    /// the figures of each optimiser step.
    ///
    /// # Errors
    /// When a batch cannot be made, a number is not finite, or `after_step` fails.
    pub fn train_one_epoch(
        &mut self,
        after_step: impl FnMut(&Self, &Figures) -> Result<()>,
    ) -> Result<Ended> {
        self.prepare_epoch()?;
        let Position { epoch, batch, .. } = self.position;
        let batches = Loader::epoch(&self.dataset, &self.config, epoch, batch);
        self.train_on(batches, after_step)
    }

    /// Train on `batches`, which end where the epoch ends.
    ///
    /// # Errors
    /// As [`Trainer::train_one_epoch`].
    pub fn train_on(
        &mut self,
        mut batches: impl Iterator<Item = Result<Batch>>,
        mut after_step: impl FnMut(&Self, &Figures) -> Result<()>,
    ) -> Result<Ended> {
        let mut figures = Figures::start();
        while let Some(batch) = figures.wait_for(|| batches.next()) {
            let batch = batch?;
            let images = batch.names.len();
            figures.add_batch(images, &self.learn(batch)?);
            let full = self.optimizer.pending() >= self.config.optimizer.accumulate;
            if !full && self.position.batch < self.batches_per_epoch {
                continue;
            }
            self.step(&mut figures)?;
            self.sums.add(&figures);
            after_step(self, &figures)?;
            if interrupt::requested() {
                return Ok(Ended::Interrupted);
            }
            figures = Figures::start();
        }
        Ok(Ended::Done)
    }

    /// Freeze and thaw the parts of the network as this epoch wants it.
    fn prepare_epoch(&mut self) -> Result<()> {
        let settings = &self.config.optimizer;
        let mut parts: Vec<&str> = settings.freeze.iter().map(String::as_str).collect();
        if self.position.epoch < settings.freeze_backbone_epochs {
            parts.push("backbone");
        }
        if !parts.is_empty() || settings.freeze_backbone_epochs > 0 {
            self.model = self.model.clone().freeze_parts(&parts)?;
        }
        Ok(())
    }

    /// Forward and backward of one micro-batch; gives the loss and its parts by name.
    fn learn(&mut self, batch: Batch) -> Result<Vec<(&'static str, f64)>> {
        self.enter_bytes()?;
        let (count, side) = (batch.names.len(), batch.side);
        self.pending_names.extend(batch.names);
        let channels = self.config.input.channel_order.channels();
        let pixels = TensorData::new(batch.images, [count, channels, side, side]);
        let images = Tensor::from_data(pixels, &self.device); // [B,C,S,S]
        let losses = self.model.losses(&self.loss, images, &batch.targets)?;
        let values = self.numbers(&losses);
        ensure!(
            values.iter().all(|(_, value)| value.is_finite()),
            "the loss is not finite: {}, {}",
            equation(&values),
            self.whereabouts()
        );
        let gradients = GradientsParams::from_grads(losses.total.backward(), &self.model);
        self.optimizer.accumulate(&self.model, &gradients);
        self.position.batch += 1;
        Ok(values)
    }

    /// A loss, its parts and what the regulariser adds to it, as numbers.
    fn numbers(&self, losses: &Losses) -> Vec<(&'static str, f64)> {
        let penalty = self.optimizer.penalty();
        let total = number(&losses.total) + penalty.unwrap_or_default();
        let mut values = vec![(LOSS, total)];
        values.extend(
            losses
                .parts
                .iter()
                .map(|(name, part)| (*name, number(part))),
        );
        values.extend(penalty.map(|penalty| ("penalty", penalty)));
        values
    }

    /// Update weights and average from the gradients so far.
    fn step(&mut self, figures: &mut Figures) -> Result<()> {
        let learning_rate = self.schedule.at(self.position.step);
        let (model, norm) = self.optimizer.step(self.model.clone(), learning_rate);
        ensure!(
            norm.is_finite(),
            "the gradients are not finite (norm {norm}) while the loss still is, {}",
            self.whereabouts()
        );
        self.model = model;
        self.optimizer.sync_statistics(&self.model);
        self.ema.update(self.optimizer.values());
        self.pending_names.clear();
        self.position.step += 1;
        figures.finish(learning_rate, f64::from(norm));
        Ok(())
    }

    fn whereabouts(&self) -> String {
        let Position { epoch, batch, step } = self.position;
        format!(
            "at epoch {}, batch {}, step {step}; photos of the batch: {}",
            epoch + 1,
            batch + 1,
            self.pending_names.join(", ")
        )
    }

    /// Move on to the next epoch.
    pub fn finish_epoch(&mut self) {
        self.position.epoch += 1;
        self.position.batch = 0;
        self.sums = Figures::default();
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
    pub const fn layout(&self) -> &crate::optim::Layout {
        self.optimizer.layout()
    }
}

/// `loss 3 = class 1 + boxes 2`
fn equation(values: &[(&str, f64)]) -> String {
    let words = values.iter().map(|(name, value)| format!("{name} {value}"));
    let words: Vec<String> = words.collect();
    words.join(" + ").replacen(" + ", " = ", 1)
}

/// The single number in `tensor`.
fn number(tensor: &Tensor<1>) -> f64 {
    let data = tensor.clone().into_data_as::<f32>();
    data.as_slice::<f32>()
        .ok()
        .and_then(|numbers| numbers.first())
        .map_or(f64::NAN, |&n| f64::from(n))
}
