//! How far the points of faces are off: landmark losses, one a file with its settings.

mod awing;
mod batch_l2;
mod chain;
mod elementwise;
mod euclidean_wing;
mod faces;
mod l1;
mod l2;
mod log_l2;
mod pointwise_l2;
mod smooth_l1;
mod soft_wing;
mod sqrt;
#[cfg(test)]
mod tests;
mod wing;

use burn::tensor::Tensor;

pub use awing::AWing;
pub use batch_l2::BatchL2;
pub use chain::Chain;
pub use euclidean_wing::EuclideanWing;
pub use faces::{Faces, per_point};
pub use l1::L1;
pub use l2::L2;
pub use log_l2::LogL2;
pub use pointwise_l2::PointwiseL2;
pub use smooth_l1::{SmoothL1, smooth_l1};
pub use soft_wing::SoftWing;
pub use sqrt::Sqrt;
pub use wing::Wing;

use crate::check::Check;
use crate::geometry::Scheme;
use crate::kinds::kinds;

/// A loss of the landmarks of whole faces; `d` below is a predicted minus a true delta, and means
/// are over what is labelled.
pub trait LandmarkLoss {
    /// What each face costs: `[P,1]`.
    fn each(&self, faces: &Faces) -> Tensor<2>;

    /// Whether it looks at [`Scheme::parts`].
    fn needs_parts(&self) -> bool {
        false
    }

    /// Whether the values make sense.
    fn check(&self, _check: &mut Check) {}
}

kinds! {
    /// The landmark losses.
    LandmarkLossKind as loss -> LandmarkLoss {
        "l1" => L1,
        "l2" => L2,
        "sqrt" => Sqrt,
        "smooth_l1" => SmoothL1,
        "wing" => Wing,
        "soft_wing" => SoftWing,
        "awing" => AWing,
        "log_l2" => LogL2,
        "pointwise_l2" => PointwiseL2,
        "euclidean_wing" => EuclideanWing,
        "chain" => Chain,
        "batch_l2" => BatchL2,
    }
}

impl Default for LandmarkLossKind {
    fn default() -> Self {
        Self::Wing(Wing::default())
    }
}

/// A landmark loss for the faces of one scheme.
#[derive(Clone, Debug)]
pub struct SchemeLoss {
    kind: LandmarkLossKind,
    parts: Vec<Vec<usize>>,
}

impl SchemeLoss {
    /// The loss `kind` of faces with the landmarks of `scheme`.
    pub fn new(kind: &LandmarkLossKind, scheme: &Scheme) -> Self {
        Self {
            kind: kind.clone(),
            parts: scheme.parts().to_vec(),
        }
    }

    /// What P faces cost together, each times its number of `factors` `[P,1]`, if there are any: `[1]`.
    /// `errors` `[P,2L]` are predicted minus true deltas, x before y; `weights` `[P,2L]` are equal for all
    /// labelled coordinates of a face, 1 together, and 0 for the others.
    pub fn sum(
        &self,
        errors: Tensor<2>,
        weights: Tensor<2>,
        factors: Option<Tensor<2>>,
    ) -> Tensor<1> {
        let faces = Faces {
            errors,
            weights,
            parts: &self.parts,
        };
        let each = self.kind.loss().each(&faces);
        match factors {
            Some(factors) => (each * factors).sum(),
            None => each.sum(),
        }
    }
}

fn check_length(check: &mut Check, key: &str, value: f32) {
    check.positive(&format!("loss.landmark.{key}"), value, 1e6);
}
