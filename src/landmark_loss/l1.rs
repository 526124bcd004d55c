use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// Mean of `|d|`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct L1 {}

impl LandmarkLoss for L1 {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.means(|d| d.abs())
    }
}
