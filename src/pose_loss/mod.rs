//! How far the turns of heads are off, and what that does to the loss: one way a file.

mod added;
mod errors;
mod multiplied;
#[cfg(test)]
mod tests;

use burn::tensor::Tensor;

pub use added::Added;
pub use errors::PoseErrors;
pub use multiplied::Multiplied;

use crate::check::Check;
use crate::kinds::kinds;

/// What the errors of some heads' poses do to the loss of their faces.
pub trait PoseLoss {
    /// A part of the loss of its own, `[1]`; `None`: it has none.
    fn part(&self, _errors: &PoseErrors) -> Option<Tensor<1>> {
        None
    }

    /// How often the landmarks of each face count, `[B,1]`; `None`: once.
    fn factors(&self, _errors: &PoseErrors) -> Option<Tensor<2>> {
        None
    }

    /// Whether the values make sense.
    fn check(&self, _check: &mut Check) {}
}

kinds! {
    /// The losses of the head's pose.
    PoseLossKind as loss -> PoseLoss {
        "added" => Added,
        "multiplied" => Multiplied,
    }
}

impl Default for PoseLossKind {
    fn default() -> Self {
        Self::Added(Added::default())
    }
}
