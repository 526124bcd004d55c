use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, Slots, Step, check_decays, check_epsilon};
use crate::check::Check;

/// Adadelta (Zeiler 2012) as in PyTorch: `s = rho s + (1 - rho) g^2`,
/// `d = g sqrt(u + epsilon) / sqrt(s + epsilon)`, `u = rho u + (1 - rho) d^2`, `w -= rate d`;
/// weight decay is added to `g`. Its steps have a size of their own: the rate is near 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adadelta {
    /// Decay of both mean squares.
    pub rho: f32,
    /// Added under both roots.
    pub epsilon: f32,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self {
            rho: 0.9,
            epsilon: 1e-6,
        }
    }
}

impl Rule for Adadelta {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        vec![("square", 0.0), ("square_step", 0.0)]
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [square, square_step] = slots.parts();
        let (rate, rho, epsilon) = (step.rate as f32, self.rho, self.epsilon);
        let state = square.iter_mut().zip(square_step);
        for ((w, &g), (s, u)) in weights.iter_mut().zip(gradients).zip(state) {
            let g = g + step.decay * *w;
            *s = rho * *s + (1.0 - rho) * g * g;
            let d = g * (*u + epsilon).sqrt() / (*s + epsilon).sqrt();
            *u = rho * *u + (1.0 - rho) * d * d;
            *w -= rate * d;
        }
    }

    fn check(&self, check: &mut Check) {
        check_decays(check, &[("rho", self.rho)]);
        check_epsilon(check, self.epsilon);
    }
}
