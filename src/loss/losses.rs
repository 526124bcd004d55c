//! What a loss consists of.

use burn::tensor::{Device, Tensor, TensorData};

use crate::anchors::Targets;

/// The loss of a batch and its weighted parts, each `[1]`.
#[derive(Clone, Debug)]
pub struct Losses {
    /// Sum of the parts; the one to differentiate.
    pub total: Tensor<1>,
    /// The parts by the names that logs give them.
    pub parts: Vec<(&'static str, Tensor<1>)>,
    /// Number of positive anchors in the batch.
    pub positives: usize,
}

impl Losses {
    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&Tensor<1>> {
        let mut parts = self.parts.iter();
        parts.find(|(own, _)| *own == name).map(|(_, part)| part)
    }
}

/// How often each of `faces` faces counts, `[P,1]`; `None` where all count once.
pub(super) fn face_factors(
    targets: &[Targets],
    faces: usize,
    device: &Device,
    of: impl Fn(&Targets) -> Vec<f32>,
) -> Option<Tensor<2>> {
    let factors: Vec<f32> = targets.iter().flat_map(of).collect();
    let some = factors.len() == faces && factors.iter().any(|&factor| factor != 1.0);
    some.then(|| Tensor::from_data(TensorData::new(factors, [faces, 1]), device))
}
