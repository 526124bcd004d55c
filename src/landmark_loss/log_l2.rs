use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// `ln(1 + s)`, `s` being the mean of `d^2` of the face.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogL2 {}

impl LandmarkLoss for LogL2 {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        let squares = faces.errors.clone().square() * faces.weights.clone();
        squares.sum_dim(1).log1p()
    }
}
