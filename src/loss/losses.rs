//! What a loss consists of.

use burn::tensor::Tensor;

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
