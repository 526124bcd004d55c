//! Cross-entropy of the positives and of the hardest negatives.

use anyhow::Result;
use burn::tensor::{Tensor, TensorData, activation};

use super::{ClassLoss, hard_negatives};
use crate::anchors::Targets;
use crate::device;
use crate::loss::detector::{Positives, at_least_one, select};

/// Cross-entropy over two classes, of the positives and of the negatives that look most like faces
/// (SSD, Liu et al. 2016), over the number of positives.
#[derive(Clone, Copy, Debug)]
pub struct Retinaface {
    /// Negatives for each positive.
    pub negative_ratio: f32,
}

impl ClassLoss for Retinaface {
    fn cost(
        &self,
        logits: &Tensor<3>,
        targets: &[Targets],
        positives: &Positives,
        _: &dyn Fn() -> Tensor<1>,
    ) -> Result<Tensor<1>> {
        let positives = positives.anchors();
        let chosen = [positives, &self.negatives(logits, targets)].concat();
        if chosen.is_empty() {
            // Every anchor is ignored: zero, but still a function of the network.
            return Ok(logits.clone().sum() * 0.0);
        }
        let log_p = activation::log_softmax(select(logits, &chosen), 1);
        let mut truth = vec![0.0f32; chosen.len() * 2];
        for (i, row) in truth.chunks_exact_mut(2).enumerate() {
            row[usize::from(i < positives.len())] = -1.0;
        }
        let truth = TensorData::new(truth, [chosen.len(), 2]);
        let truth = Tensor::from_data(truth, &logits.device());
        Ok((log_p * truth).sum() / at_least_one(positives.len()))
    }
}

impl Retinaface {
    /// (image, anchor) of the hardest negatives of each image.
    fn negatives(&self, logits: &Tensor<3>, targets: &[Targets]) -> Vec<(usize, usize)> {
        let values = device::read(logits.clone());
        let per_image = logits.dims()[1] * 2;
        let mut negatives = Vec::new();
        for (image, (t, values)) in targets.iter().zip(values.chunks(per_image)).enumerate() {
            let margins: Vec<f32> = values.chunks_exact(2).map(|v| v[1] - v[0]).collect();
            let own = hard_negatives(&t.labels, &margins, self.negative_ratio);
            negatives.extend(own.into_iter().map(|anchor| (image, anchor)));
        }
        negatives
    }
}
