use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PoseErrors, PoseLoss};

/// As PFLD has it (Guo et al., 2019, arXiv:1902.10859, eq. 2): what the landmarks of a face cost times the
/// sum of `1 - cos d` over the three angles, and nothing else. A face whose pose is not known counts once.
/// The product alone, as in the paper: a face whose head is seen right teaches no landmarks any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Multiplied {}

impl PoseLoss for Multiplied {
    fn factors(&self, errors: &PoseErrors) -> Option<Tensor<2>> {
        Some(errors.each.clone() + errors.unknown.clone())
    }
}
