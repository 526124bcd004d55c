use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, Slots, Step, check_decays, check_epsilon};
use crate::check::Check;

/// RMSprop (Tieleman and Hinton 2012) as in PyTorch: `s = alpha s + (1 - alpha) g^2`,
/// `v = momentum v + g / (sqrt(s) + epsilon)`, `w -= rate v`; weight decay is added to `g`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RmsProp {
    /// Decay of the mean square.
    pub alpha: f32,
    /// Share of the velocity that stays in each step.
    pub momentum: f32,
    /// Added to the denominator.
    pub epsilon: f32,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            alpha: 0.99,
            momentum: 0.0,
            epsilon: 1e-8,
        }
    }
}

impl Rule for RmsProp {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        vec![("square", 0.0), ("velocity", 0.0)]
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [square, velocity] = slots.parts();
        let rate = step.rate as f32;
        let state = square.iter_mut().zip(velocity);
        for ((w, &g), (s, v)) in weights.iter_mut().zip(gradients).zip(state) {
            let g = g + step.decay * *w;
            *s = self.alpha * *s + (1.0 - self.alpha) * g * g;
            *v = self.momentum * *v + g / (s.sqrt() + self.epsilon);
            *w -= rate * *v;
        }
    }

    fn check(&self, check: &mut Check) {
        check_decays(check, &[("alpha", self.alpha), ("momentum", self.momentum)]);
        check_epsilon(check, self.epsilon);
    }
}
