//! The learning rate as a function of the step: shapes, one a file with its settings, and the
//! section `schedule`.

mod constant;
mod cosine;
mod cosine_restarts;
mod cyclical;
mod exponential;
mod multi_step;
mod one_cycle;
mod polynomial;
mod step;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use cyclical::Cyclical;
pub use exponential::Exponential;
pub use multi_step::MultiStep;
pub use one_cycle::OneCycle;
pub use polynomial::Polynomial;
pub use step::StepDecay;

use crate::check::Check;
use crate::kinds::{kinds, section};

/// The shape of the learning rate after the warm-up.
pub trait Shape {
    /// Share of the highest rate `step` steps after the warm-up of `run`.
    fn share(&self, step: usize, run: &Run) -> f64;

    /// Whether the values make sense.
    fn check(&self, check: &mut Check);
}

/// How long a run is, in optimiser steps.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// All of it, at least 1.
    pub steps: usize,
    /// The warm-up at its start.
    pub warmup: usize,
    /// An epoch, at least 1.
    pub steps_per_epoch: usize,
}

impl Run {
    /// Steps after the warm-up, at least 1.
    fn after_warmup(&self) -> f64 {
        self.steps.saturating_sub(self.warmup).max(1) as f64
    }

    /// Epochs from the start of the run, warm-up included, to `step` steps after the warm-up.
    fn epochs_at(&self, step: usize) -> f64 {
        (step + self.warmup) as f64 / self.steps_per_epoch as f64
    }

    /// Steps in `epochs`, at least 1.
    fn steps_of(&self, epochs: f64) -> f64 {
        (epochs * self.steps_per_epoch as f64).max(1.0)
    }
}

kinds! {
    /// The shapes.
    ScheduleKind as shape -> Shape {
        "constant" => Constant,
        "exponential" => Exponential,
        "polynomial" => Polynomial,
        "step" => StepDecay,
        "multi_step" => MultiStep,
        "cosine" => Cosine,
        "cosine_restarts" => CosineRestarts,
        "cyclical" => Cyclical,
        "one_cycle" => OneCycle,
    }
}

impl Default for ScheduleKind {
    fn default() -> Self {
        Self::Cosine(Cosine::default())
    }
}

/// The learning rate over time: a kind with its own settings, and the warm-up of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct ScheduleConfig {
    /// Which shape.
    #[serde(flatten, skip_deserializing)]
    pub kind: ScheduleKind,
    /// Steps of linear warm-up from zero, before any of the shapes.
    pub warmup_steps: usize,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::default(),
            warmup_steps: 100,
        }
    }
}

section!(ScheduleConfig);

impl ScheduleConfig {
    /// Whether the values make sense.
    pub(crate) fn check(&self, check: &mut Check) {
        self.kind.shape().check(check);
    }
}

/// A learning rate for every step of a run.
#[derive(Clone, Debug)]
pub struct Schedule {
    kind: ScheduleKind,
    top: f64,
    run: Run,
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
            kind: config.kind.clone(),
            top,
            run: Run {
                steps: total_steps.max(1),
                warmup: config.warmup_steps,
                steps_per_epoch: steps_per_epoch.max(1),
            },
        }
    }

    /// Learning rate of step `step`, the first one being 0. During the warm-up the shape's first
    /// value grows linearly from nearly zero; the shape begins after it.
    pub fn at(&self, step: usize) -> f64 {
        let (shape, warmup) = (self.kind.shape(), self.run.warmup);
        if step < warmup {
            return self.top * shape.share(0, &self.run) * (step + 1) as f64 / warmup as f64;
        }
        self.top * shape.share(step - warmup, &self.run)
    }

    /// Steps of the whole run.
    pub const fn steps(&self) -> usize {
        self.run.steps
    }
}

/// Half a cosine from 1 to 0 over `place` 0 to 1, 0 beyond.
fn half_cosine(place: f64) -> f64 {
    0.5 * (1.0 + (std::f64::consts::PI * place.min(1.0)).cos())
}

/// What `share` 0 to 1 is between `floor` and 1.
fn above(floor: f64, share: f64) -> f64 {
    floor + (1.0 - floor) * share
}

fn check_floor(check: &mut Check, floor: f64) {
    check.between("schedule.floor", floor, 0.0, 1.0);
}

fn check_epochs(check: &mut Check, key: &str, epochs: f64) {
    check.positive(&format!("schedule.{key}"), epochs, 1e6);
}
