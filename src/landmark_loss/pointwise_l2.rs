use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// Mean distance of the points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PointwiseL2 {}

impl LandmarkLoss for PointwiseL2 {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.point_means(|distances| distances)
    }
}
