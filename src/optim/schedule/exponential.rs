use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape};
use crate::check::Check;

/// Times `factor` every `every_steps` steps, at once or little by little (TensorFlow's
/// `ExponentialDecay`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exponential {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// In how many steps.
    pub every_steps: usize,
    /// Whether it falls all at once.
    pub staircase: bool,
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            factor: 0.94,
            every_steps: 1000,
            staircase: true,
        }
    }
}

impl Shape for Exponential {
    fn share(&self, step: usize, _run: &Run) -> f64 {
        let times = step as f64 / self.every_steps.max(1) as f64;
        let times = if self.staircase { times.floor() } else { times };
        self.factor.powf(times)
    }

    fn check(&self, check: &mut Check) {
        check.positive("schedule.factor", self.factor, 1.0);
        check.between("schedule.every_steps", self.every_steps, 1, 1_000_000_000);
    }
}
