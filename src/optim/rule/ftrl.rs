use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, Slots, Step};
use crate::check::Check;

/// Follow the regularised leader (McMahan et al. 2013) as in Keras: with `p = -power`,
/// `n' = n + g^2`, `z += g - w (n'^p - n^p) / rate`,
/// `w = (clip(z, -l1, l1) - z) / ((n'^p + beta) / rate + 2 l2)`; weight decay is added to `g`.
/// Weights follow from the sums alone, so that those that training starts from soon count no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ftrl {
    /// How the rate falls with the sum of squares, 0 or less; -0.5 is the square root.
    pub power: f32,
    /// What the sum of squares starts at.
    pub initial_sum: f32,
    /// Strength of the absolute values' penalty, within the algorithm: makes weights exactly zero.
    pub l1: f32,
    /// Strength of the squares' penalty, within the algorithm.
    pub l2: f32,
    /// Added to the root of the sum.
    pub beta: f32,
}

impl Default for Ftrl {
    fn default() -> Self {
        Self {
            power: -0.5,
            initial_sum: 0.1,
            l1: 0.0,
            l2: 0.0,
            beta: 0.0,
        }
    }
}

impl Rule for Ftrl {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        vec![("sum", self.initial_sum), ("linear", 0.0)]
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [sum, linear] = slots.parts();
        let rate = step.rate as f32;
        let state = sum.iter_mut().zip(linear);
        for ((w, &g), (n, z)) in weights.iter_mut().zip(gradients).zip(state) {
            let g = g + step.decay * *w;
            let before = n.powf(-self.power);
            *n += g * g;
            let now = n.powf(-self.power);
            *z += g - (now - before) / rate * *w;
            let quadratic = (now + self.beta) / rate + 2.0 * self.l2;
            *w = (z.clamp(-self.l1, self.l1) - *z) / quadratic;
        }
    }

    fn check(&self, check: &mut Check) {
        check.between("optimizer.power", self.power, -10.0, 0.0);
        // Without it a weight whose gradient is zero at first is divided by nothing.
        check.positive("optimizer.initial_sum", self.initial_sum, 1e6);
        for (key, value) in [("l1", self.l1), ("l2", self.l2), ("beta", self.beta)] {
            check.between(&format!("optimizer.{key}"), value, 0.0, 1e6);
        }
    }
}
