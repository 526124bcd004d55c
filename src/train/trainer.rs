//! The training loop: batches in, optimiser steps out.

mod bytes;
mod state;

use std::sync::Arc;

use anyhow::{Result, ensure};
use burn::tensor::Device;

use super::checkpoint::{Best, Position};
use super::figures::{Figures, LOSS};
use super::length::{Length, schedule};
use super::replicas::Devices;
use crate::config::Config;
use crate::data::{Batch, Dataset, Loader};
use crate::device::Reading;
use crate::interrupt;
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
    devices: Devices,
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
            devices: Devices::one(device.clone()),
            model,
        })
    }

    /// The same with `devices` (with autodiff) beside the one of the model: as many micro-batches of a
    /// step as there are devices are learned at a time.
    ///
    /// # Errors
    /// When `optimizer.accumulate` is no multiple of the number of devices.
    pub fn with_devices(self, devices: Vec<Device>) -> Result<Self> {
        Ok(Self {
            devices: self.devices.and(devices, &self.config)?,
            ..self
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
        loop {
            let round = self.round(&mut batches, &mut figures)?;
            if round.is_empty() {
                return Ok(Ended::Done);
            }
            self.learn(round, &mut figures)?;
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
    }

    /// The next micro-batches of this step, at most one for each device.
    fn round(
        &self,
        batches: &mut impl Iterator<Item = Result<Batch>>,
        figures: &mut Figures,
    ) -> Result<Vec<Batch>> {
        let left = self.batches_per_epoch.saturating_sub(self.position.batch);
        let most = self.devices.len().min(left.max(1));
        let mut round = Vec::with_capacity(most);
        while round.len() < most {
            match figures.wait_for(|| batches.next()) {
                Some(batch) => round.push(batch?),
                None => break,
            }
        }
        Ok(round)
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

    /// Take in the gradients of some micro-batches, and their losses into `figures`.
    fn learn(&mut self, round: Vec<Batch>, figures: &mut Figures) -> Result<()> {
        self.enter_bytes()?;
        let names = round.iter().flat_map(|batch| batch.names.iter().cloned());
        self.pending_names.extend(names);
        let images: Vec<usize> = round.iter().map(|batch| batch.names.len()).collect();
        let lessons = self.devices.learn(&self.model, &self.loss, round)?;
        for (images, (losses, gradients)) in images.into_iter().zip(lessons) {
            // The device is busy with all this before its numbers are waited for.
            self.optimizer.accumulate(&self.model, &gradients);
            let values = self.numbers(losses);
            ensure!(
                values.iter().all(|(_, value)| value.is_finite()),
                "the loss is not finite: {}, {}",
                equation(&values),
                self.whereabouts()
            );
            self.position.batch += 1;
            figures.add_batch(images, &values);
        }
        Ok(())
    }

    /// A loss, its parts and what the regulariser adds to it, as numbers.
    fn numbers(&self, losses: Losses) -> Vec<(&'static str, f64)> {
        let mut reading = Reading::default();
        let mut names = Vec::new();
        for (name, part) in [(LOSS, losses.total)].into_iter().chain(losses.parts) {
            names.push(name);
            reading.add(part);
        }
        let numbers = reading.finish();
        let numbers = numbers.map(|data| data.iter::<f64>().next().unwrap_or(f64::NAN));
        let mut values: Vec<_> = names.into_iter().zip(numbers).collect();
        if let Some(penalty) = self.optimizer.penalty() {
            let total = values.iter_mut().filter(|(name, _)| *name == LOSS);
            total.for_each(|(_, value)| *value += penalty);
            values.push(("penalty", penalty));
        }
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
}

/// `loss 3 = class 1 + boxes 2`
fn equation(values: &[(&str, f64)]) -> String {
    let words = values.iter().map(|(name, value)| format!("{name} {value}"));
    let words: Vec<String> = words.collect();
    words.join(" + ").replacen(" + ", " = ", 1)
}
