use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, Slots, Step, check_epsilon};
use crate::check::Check;

/// Adagrad (Duchi et al. 2011) as in PyTorch: `s += g^2`, `w -= rate g / (sqrt(s) + epsilon)`;
/// weight decay is added to `g`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adagrad {
    /// What the sum of squares starts at.
    pub initial_sum: f32,
    /// Added to the denominator.
    pub epsilon: f32,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self {
            initial_sum: 0.0,
            epsilon: 1e-10,
        }
    }
}

impl Rule for Adagrad {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        vec![("sum", self.initial_sum)]
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [sum] = slots.parts();
        let rate = step.rate as f32;
        for ((w, &g), s) in weights.iter_mut().zip(gradients).zip(sum) {
            let g = g + step.decay * *w;
            *s += g * g;
            *w -= rate * g / (s.sqrt() + self.epsilon);
        }
    }

    fn check(&self, check: &mut Check) {
        check.between("optimizer.initial_sum", self.initial_sum, 0.0, 1e6);
        check_epsilon(check, self.epsilon);
    }
}
