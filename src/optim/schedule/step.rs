use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape, check_epochs};
use crate::check::Check;

/// Times `factor` every `every_epochs` epochs of the run, warm-up included (PyTorch's `StepLR`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepDecay {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// How often, in epochs.
    pub every_epochs: f64,
}

impl Default for StepDecay {
    fn default() -> Self {
        Self {
            factor: 0.5,
            every_epochs: 10.0,
        }
    }
}

impl Shape for StepDecay {
    fn share(&self, step: usize, run: &Run) -> f64 {
        let times = (run.epochs_at(step) / self.every_epochs).floor();
        self.factor.powf(times)
    }

    fn check(&self, check: &mut Check) {
        check.positive("schedule.factor", self.factor, 1.0);
        check_epochs(check, "every_epochs", self.every_epochs);
    }
}
