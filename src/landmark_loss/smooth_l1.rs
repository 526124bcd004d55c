use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// Mean of Huber's loss with threshold 1: `d^2 / 2` below 1, `|d| - 1/2` above.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SmoothL1 {}

impl LandmarkLoss for SmoothL1 {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.means(smooth_l1)
    }
}

/// Huber's loss with threshold 1, element by element.
pub fn smooth_l1(d: Tensor<2>) -> Tensor<2> {
    let size = d.abs();
    let far = size.clone().greater_equal_scalar(1.0);
    (size.clone().square() * 0.5).mask_where(far, size - 0.5)
}
