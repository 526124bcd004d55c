use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};
use crate::landmark_loss::faces::root;

/// Mean of `sqrt |d|`; a perfect coordinate pulls nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sqrt {}

impl LandmarkLoss for Sqrt {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        faces.means(|d| root(d.abs()))
    }
}
