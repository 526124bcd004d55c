//! Figures of a stretch of training: one optimiser step, or the steps of an epoch added up.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Names of the loss and its parts, in the order of [`Figures::losses`].
pub const LOSSES: [&str; 5] = ["loss", "class", "boxes", "landmarks", "uncertainty"];

/// Sums over micro-batches, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Micro-batches.
    batches: usize,
    /// Optimiser steps.
    steps: usize,
    /// Photos.
    images: usize,
    /// Sums of the loss and its parts.
    losses: [f64; 5],
    /// Sum of the gradient norms before clipping.
    gradient_norm: f64,
    /// Last learning rate.
    learning_rate: f64,
    /// Seconds in all.
    seconds: f64,
    /// Seconds of them spent waiting for data.
    waited: f64,
    #[serde(skip)]
    started: Started,
}

/// A start time that does not count when figures are compared.
#[derive(Clone, Copy, Debug, Default)]
struct Started(Option<Instant>);

impl PartialEq for Started {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Figures {
    /// Figures of a step that begins now.
    pub fn start() -> Self {
        Self {
            started: Started(Some(Instant::now())),
            ..Self::default()
        }
    }

    /// Run `next` and count its time as waiting.
    pub fn wait_for<T>(&mut self, next: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = next();
        self.waited += start.elapsed().as_secs_f64();
        value
    }

    /// Add a micro-batch.
    pub fn add_batch(&mut self, images: usize, losses: [f64; 5]) {
        self.batches += 1;
        self.images += images;
        for (sum, loss) in self.losses.iter_mut().zip(losses) {
            *sum += loss;
        }
    }

    /// The step is over.
    pub fn finish(&mut self, learning_rate: f64, gradient_norm: f64) {
        self.steps = 1;
        self.learning_rate = learning_rate;
        self.gradient_norm = gradient_norm;
        self.seconds = self.started.0.map_or(0.0, |s| s.elapsed().as_secs_f64());
    }

    /// Add the figures of a step.
    pub fn add(&mut self, step: &Self) {
        self.images += step.images;
        self.batches += step.batches;
        for (sum, loss) in self.losses.iter_mut().zip(step.losses) {
            *sum += loss;
        }
        self.steps += step.steps;
        self.gradient_norm += step.gradient_norm;
        self.learning_rate = step.learning_rate;
        self.seconds += step.seconds;
        self.waited += step.waited;
    }

    /// Micro-batches.
    pub const fn batches(&self) -> usize {
        self.batches
    }

    /// Mean loss and parts per micro-batch.
    pub fn losses(&self) -> [f64; 5] {
        self.losses.map(|sum| sum / self.batches.max(1) as f64)
    }

    /// Photos a second.
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds.max(1e-9)
    }

    /// Share of the time spent waiting for data.
    pub fn waiting_share(&self) -> f64 {
        self.waited / self.seconds.max(1e-9)
    }

    /// All of it by name, for the logs.
    pub fn row(&self, epoch: usize) -> Vec<(String, f64)> {
        let mut row = vec![
            ("epoch", epoch as f64),
            ("learning_rate", self.learning_rate),
        ];
        row.extend(LOSSES.into_iter().zip(self.losses()));
        row.extend([
            (
                "gradient_norm",
                self.gradient_norm / self.steps.max(1) as f64,
            ),
            ("images_per_s", self.images_per_second()),
            ("waiting_share", self.waiting_share()),
            ("seconds", self.seconds),
        ]);
        row.into_iter()
            .map(|(name, n)| (name.to_owned(), n))
            .collect()
    }

    /// Loss and parts in words; parts that this network does not have are left out.
    pub fn describe(&self) -> String {
        let all = self.losses();
        let parts = LOSSES
            .iter()
            .zip(all)
            .skip(1)
            .filter(|&(_, loss)| loss != 0.0);
        let parts: Vec<String> = parts
            .map(|(name, loss)| format!("{name} {loss:.3}"))
            .collect();
        format!("loss {:.3} ({})", all[0], parts.join(", "))
    }
}
