use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// The mean of `d^2`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct L2 {}

impl LandmarkLoss for L2 {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.means(|d| d.square())
    }
}
