use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::log_of;
use super::{Faces, LandmarkLoss, check_length};
use crate::check::Check;

/// Mean of SoftWing (Lin et al. 2021): `|d|` below `inner`, `outer ln(1 + |d| / e) + B` above, where
/// `B = inner - outer ln(1 + inner / e)` makes the two meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SoftWing {
    /// Where the line becomes a logarithm, in deltas.
    pub inner: f32,
    /// Scale of the logarithm.
    pub outer: f32,
    /// `e`: curvature.
    pub epsilon: f32,
}

impl Default for SoftWing {
    fn default() -> Self {
        Self {
            inner: 2.0,
            outer: 20.0,
            epsilon: 0.5,
        }
    }
}

impl LandmarkLoss for SoftWing {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        let Self {
            inner,
            outer,
            epsilon,
        } = *self;
        let offset = inner - outer * (inner / epsilon).ln_1p();
        faces.means(|d| {
            let size = d.abs();
            let far = size.clone().greater_equal_scalar(inner);
            let beyond = log_of(size.clone(), epsilon) * outer + offset;
            size.mask_where(far, beyond)
        })
    }

    fn check(&self, check: &mut Check) {
        check_length(check, "inner", self.inner);
        check_length(check, "outer", self.outer);
        check_length(check, "epsilon", self.epsilon);
    }
}
