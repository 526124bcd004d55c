use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// Sum of `d^2` over the labelled coordinates of a face: faces with more points count more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchL2 {}

impl LandmarkLoss for BatchL2 {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        let errors = faces.errors.clone() * faces.labelled();
        errors.square().sum_dim(1)
    }
}
