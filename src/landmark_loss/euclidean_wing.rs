use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::wing;
use super::{Faces, LandmarkLoss, check_length};
use crate::check::Check;

/// Mean over the points of Wing (see [`Wing`](super::Wing)) of their distances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EuclideanWing {
    /// `w`: where the curve becomes a line, in deltas.
    pub width: f32,
    /// `e`: curvature.
    pub epsilon: f32,
}

impl Default for EuclideanWing {
    fn default() -> Self {
        Self {
            width: 2.0,
            epsilon: 0.5,
        }
    }
}

impl LandmarkLoss for EuclideanWing {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.point_means(|distances| wing(distances, self.width, self.epsilon))
    }

    fn check(&self, check: &mut Check) {
        check_length(check, "width", self.width);
        check_length(check, "epsilon", self.epsilon);
    }
}
