use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, Slots, Step, check_decays, check_epsilon};
use crate::check::Check;

/// Adam (Kingma and Ba 2015), bias-corrected; weight decay is added to the gradients, as in
/// PyTorch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Decay of first and second moment.
    pub betas: [f32; 2],
    /// Added to the denominator.
    pub epsilon: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
        }
    }
}

/// The slots of the moments.
pub(super) const MOMENTS: [(&str, f32); 2] = [("first", 0.0), ("second", 0.0)];

impl Rule for Adam {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        MOMENTS.to_vec()
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [first, second] = slots.parts();
        let adam = Corrected::at(step, self.betas, self.epsilon);
        let moments = first.iter_mut().zip(second);
        for ((w, &g), (m, v)) in weights.iter_mut().zip(gradients).zip(moments) {
            *w -= adam.step(g + step.decay * *w, m, v);
        }
    }

    fn check(&self, check: &mut Check) {
        check_moments(check, self.betas, self.epsilon);
    }
}

pub(super) fn check_moments(check: &mut Check, betas: [f32; 2], epsilon: f32) {
    check_decays(check, &[("betas[0]", betas[0]), ("betas[1]", betas[1])]);
    check_epsilon(check, epsilon);
}

/// The corrections of the moments, which start at zero, at one step.
pub(super) struct Corrected {
    betas: [f32; 2],
    epsilon: f32,
    step_size: f32,
    second_correction: f32,
}

impl Corrected {
    pub(super) fn at(step: &Step, betas: [f32; 2], epsilon: f32) -> Self {
        let [first, second] = betas.map(|beta| 1.0 - f64::from(beta).powf(step.updates as f64));
        Self {
            betas,
            epsilon,
            step_size: (step.rate / first) as f32,
            second_correction: (1.0 / second.sqrt()) as f32,
        }
    }

    /// Brings the moments of a weight up to date; gives what it goes down by.
    pub(super) fn step(&self, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        let [b1, b2] = self.betas;
        *m = b1 * *m + (1.0 - b1) * g;
        *v = b2 * *v + (1.0 - b2) * g * g;
        let denominator = v.sqrt() * self.second_correction + self.epsilon;
        self.step_size * *m / denominator
    }
}
