//! The learning rate as a function of the step.

use std::f64::consts::PI;

use crate::config::{ScheduleConfig, ScheduleKind};

/// A learning rate for every step of a run.
#[derive(Clone, Debug)]
pub struct Schedule {
    config: ScheduleConfig,
    top: f64,
    total_steps: usize,
    steps_per_epoch: usize,
}

impl Schedule {
    /// A schedule that peaks at `top` and ends after `total_steps` optimiser steps.
    pub fn new(
        config: &ScheduleConfig,
        top: f64,
        total_steps: usize,
        steps_per_epoch: usize,
    ) -> Self {
        Self {
            config: config.clone(),
            top,
            total_steps: total_steps.max(1),
            steps_per_epoch: steps_per_epoch.max(1),
        }
    }

    /// Learning rate of step `step`, the first one being 0. During the warm-up the shape's first
    /// value grows linearly from nearly zero; the shape begins after it.
    pub fn at(&self, step: usize) -> f64 {
        let warmup = self.config.warmup_steps;
        if step < warmup {
            return self.top * self.shape(0) * (step + 1) as f64 / warmup as f64;
        }
        self.top * self.shape(step - warmup)
    }

    /// Share of the top rate `step` steps after the warm-up.
    fn shape(&self, step: usize) -> f64 {
        match self.config.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::MultiStep => self.multi_step(step),
            ScheduleKind::Cosine => {
                let after_warmup = self.total_steps.saturating_sub(self.config.warmup_steps);
                self.cosine(step as f64 / after_warmup.max(1) as f64)
            }
            ScheduleKind::CosineRestarts => self.cosine(self.place_in_growing_cycle(step)),
            ScheduleKind::Cyclical => {
                let place = (step as f64 / self.cycle_steps()).fract();
                self.above_floor(1.0 - (2.0 * place - 1.0).abs())
            }
        }
    }

    /// Milestones count from the start of the run, warm-up included.
    fn multi_step(&self, step: usize) -> f64 {
        let done = (step + self.config.warmup_steps) as f64 / self.total_steps as f64;
        let passed = self.config.milestones.iter().filter(|&&m| done >= m);
        self.config.gamma.powi(passed.count() as i32)
    }

    /// Half a cosine over `place` 0 to 1, the floor beyond.
    fn cosine(&self, place: f64) -> f64 {
        self.above_floor(0.5 * (1.0 + (PI * place.min(1.0)).cos()))
    }

    fn above_floor(&self, share: f64) -> f64 {
        self.config.floor + (1.0 - self.config.floor) * share
    }

    fn cycle_steps(&self) -> f64 {
        (self.config.cycle_epochs * self.steps_per_epoch as f64).max(1.0)
    }

    /// How far `step` is into its cycle, 0 to 1, each cycle `cycle_mult` times the one before.
    fn place_in_growing_cycle(&self, step: usize) -> f64 {
        let growth = self.config.cycle_mult.max(1.0);
        let (mut start, mut length) = (0.0, self.cycle_steps());
        while step as f64 >= start + length {
            start += length;
            length *= growth;
        }
        (step as f64 - start) / length
    }
}
