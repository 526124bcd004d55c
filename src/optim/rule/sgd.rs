use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, Slots, Step};
use crate::check::Check;

/// Stochastic gradient descent with momentum as in PyTorch: `v = momentum v + g + decay w`,
/// `w -= rate v`; with Nesterov's momentum `w -= rate (g + decay w + momentum v)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Share of the velocity that stays in each step.
    pub momentum: f64,
    /// Whether to look ahead along the new velocity (Sutskever et al. 2013).
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            nesterov: false,
        }
    }
}

impl Rule for Sgd {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        vec![("velocity", 0.0)]
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [velocity] = slots.parts();
        let (rate, momentum) = (step.rate as f32, self.momentum as f32);
        for ((w, &g), v) in weights.iter_mut().zip(gradients).zip(velocity) {
            *v = momentum * *v + g + step.decay * *w;
            if self.nesterov {
                *w -= rate * (g + step.decay * *w + momentum * *v);
            } else {
                *w -= rate * *v;
            }
        }
    }

    fn check(&self, check: &mut Check) {
        check.below("optimizer.momentum", self.momentum, 0.0, 1.0);
    }
}
