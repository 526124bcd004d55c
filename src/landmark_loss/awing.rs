use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss, check_length};
use crate::check::Check;

/// Mean of Adaptive Wing (Wang et al. 2019, eq. 6) with the heatmap's truth 1, that of a landmark:
/// with `p = alpha - 1`, `omega ln(1 + |d / e|^p)` below `theta`, `A |d| - C` above, where
/// `A = omega p (theta / e)^(p - 1) / (e (1 + (theta / e)^p))` and
/// `C = theta A - omega ln(1 + (theta / e)^p)` make curve and slope meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AWing {
    /// Scale.
    pub omega: f32,
    /// Where the curve becomes a line, in deltas.
    pub theta: f32,
    /// `e`: curvature.
    pub epsilon: f32,
    /// How flat the curve is around zero, above 2.
    pub alpha: f32,
}

impl Default for AWing {
    fn default() -> Self {
        Self {
            omega: 14.0,
            theta: 0.5,
            epsilon: 1.0,
            alpha: 2.1,
        }
    }
}

impl LandmarkLoss for AWing {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        let Self {
            omega,
            theta,
            epsilon,
            alpha,
        } = *self;
        let power = alpha - 1.0;
        let bend = theta / epsilon;
        let bent = bend.powf(power);
        let slope = omega * power * bend.powf(power - 1.0) / (epsilon * (1.0 + bent));
        let offset = theta * slope - omega * bent.ln_1p();
        faces.means(|d| {
            let size = d.abs();
            let far = size.clone().greater_equal_scalar(theta);
            let near = (size.clone() / epsilon).powf_scalar(power).log1p() * omega;
            near.mask_where(far, size * slope - offset)
        })
    }

    fn check(&self, check: &mut Check) {
        check_length(check, "omega", self.omega);
        check_length(check, "theta", self.theta);
        check_length(check, "epsilon", self.epsilon);
        let alpha = self.alpha;
        check.ensure(
            alpha > 2.0 && alpha <= 100.0,
            "loss.landmark.alpha",
            &format!("must be above 2 and at most 100, is {alpha}"),
        );
    }
}
