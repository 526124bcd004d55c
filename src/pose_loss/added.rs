use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PoseErrors, PoseLoss};
use crate::check::Check;

/// The part `pose`: `weight` times the mean, over the faces whose pose is known, of the sum of
/// `1 - cos d` over the three angles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Added {
    /// Weight of the part.
    pub weight: f32,
}

impl Default for Added {
    fn default() -> Self {
        Self { weight: 1.0 }
    }
}

impl PoseLoss for Added {
    fn part(&self, errors: &PoseErrors) -> Option<Tensor<1>> {
        let share = self.weight / errors.faces.max(1) as f32;
        Some(errors.each.clone().sum() * share)
    }

    fn check(&self, check: &mut Check) {
        check.between("loss.pose.weight", self.weight, 0.0, 1e6);
    }
}
