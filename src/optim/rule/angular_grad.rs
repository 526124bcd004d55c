use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::check_moments;
use super::{Adam, Rule, Slots, Step};
use crate::check::Check;

/// AngularGrad (Roy et al. 2021, arXiv 2105.10190): Adam whose steps are scaled by the angle
/// between successive gradients of a weight. With the gradient before, `h` (0 at first):
/// `tan = |(h - g) / (1 + h g)|`, `cos = 1 / sqrt(1 + tan^2)`, `angle = atan(tan)` in degrees. Where
/// fewer weights of a tensor have an angle above their smallest one than not, the angles become the
/// smallest ones and their coefficients are kept as `phi`; both start at 0. Then
/// `w -= rate sqrt(1 - b2^t) / (1 - b1^t) m (tanh|phi| / 2 + 1 / 2) / (sqrt(v) + epsilon)`. Weight
/// decay is added to the gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AngularGrad {
    /// Decay of first and second moment.
    pub betas: [f32; 2],
    /// Added to the denominator.
    pub epsilon: f32,
    /// What of the angle scales the steps.
    pub coefficient: Coefficient,
}

/// What of an angle scales the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coefficient {
    /// Its cosine.
    #[default]
    Cos,
    /// Its tangent.
    Tan,
}

impl Default for AngularGrad {
    fn default() -> Self {
        let Adam { betas, epsilon } = Adam::default();
        Self {
            betas,
            epsilon,
            coefficient: Coefficient::Cos,
        }
    }
}

impl Rule for AngularGrad {
    fn slots(&self) -> Vec<(&'static str, f32)> {
        let names = ["first", "second", "previous", "smallest_angle", "phi"];
        names.map(|name| (name, 0.0)).to_vec()
    }

    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>) {
        let [first, second, previous, smallest, phi] = slots.parts();
        let decayed: Vec<f32> = (weights.iter().zip(gradients))
            .map(|(w, g)| g + step.decay * w)
            .collect();
        self.turn(&decayed, previous, smallest, phi);
        previous.copy_from_slice(&decayed);
        let [b1, b2] = self.betas;
        let [left_1, left_2] = self
            .betas
            .map(|b| 1.0 - f64::from(b).powf(step.updates as f64));
        let size = (step.rate * left_2.sqrt() / left_1) as f32;
        let moments = first.iter_mut().zip(second).zip(phi);
        for ((w, g), ((m, v), phi)) in weights.iter_mut().zip(decayed).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            let scale = 0.5 * phi.abs().tanh() + 0.5;
            *w -= size * *m * scale / (v.sqrt() + self.epsilon);
        }
    }

    fn check(&self, check: &mut Check) {
        check_moments(check, self.betas, self.epsilon);
    }
}

impl AngularGrad {
    /// Keep the angles and their coefficients, if most are no larger than the smallest so far.
    fn turn(&self, gradients: &[f32], previous: &[f32], smallest: &mut [f32], phi: &mut [f32]) {
        let tangents = gradients
            .iter()
            .zip(previous)
            .map(|(g, h)| ((h - g) / (1.0 + h * g)).abs());
        let tangents: Vec<f32> = tangents.collect();
        let angle = |tan: f32| tan.atan().to_degrees();
        let pairs = tangents.iter().zip(smallest.iter());
        let larger = pairs.filter(|&(&tan, &min)| angle(tan) > min).count();
        if larger >= tangents.len() - larger {
            return;
        }
        for ((min, phi), tan) in smallest.iter_mut().zip(phi).zip(tangents) {
            *min = angle(tan);
            *phi = match self.coefficient {
                Coefficient::Cos => 1.0 / (1.0 + tan * tan).sqrt(),
                Coefficient::Tan => tan,
            };
        }
    }
}
