use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::{Corrected, MOMENTS, check_moments};
use super::{Adam, Rule, Slots, Step};
use crate::check::Check;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): weights shrink by
/// `rate * decay`, whatever their gradients are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// Decay of first and second moment.
    pub betas: [f32; 2],
    /// Added to the denominator.
    pub epsilon: f32,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { betas, epsilon } = Adam::default();
        Self { betas, epsilon }
    }
}

impl Rule for AdamW {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        MOMENTS.to_vec()
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [first, second] = slots.parts();
        let adam = Corrected::at(step, self.betas, self.epsilon);
        let keep = (1.0 - step.rate * f64::from(step.decay)) as f32;
        let moments = first.iter_mut().zip(second);
        for ((w, &g), (m, v)) in weights.iter_mut().zip(gradients).zip(moments) {
            *w = *w * keep - adam.step(g, m, v);
        }
    }

    fn check(&self, check: &mut Check) {
        check_moments(check, self.betas, self.epsilon);
    }
}
