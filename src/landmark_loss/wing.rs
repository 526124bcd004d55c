use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::wing;
use super::{Faces, LandmarkLoss, check_length};
use crate::check::Check;

/// Mean of Wing (Feng et al. 2018, eq. 5): `w ln(1 + |d| / e)` below `w`, `|d| - C` above, where
/// `C = w - w ln(1 + w / e)` makes the two meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Wing {
    /// `w`: where the curve becomes a line, in deltas.
    pub width: f32,
    /// `e`: curvature.
    pub epsilon: f32,
}

impl Default for Wing {
    fn default() -> Self {
        Self {
            width: 2.0,
            epsilon: 0.5,
        }
    }
}

impl LandmarkLoss for Wing {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.means(|d| wing(d.abs(), self.width, self.epsilon))
    }

    fn check(&self, check: &mut Check) {
        check_length(check, "width", self.width);
        check_length(check, "epsilon", self.epsilon);
    }
}
