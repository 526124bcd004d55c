//! What the classes of a detector cost: one loss for each kind of heads.

mod quality;
mod retinaface;

use burn::tensor::Tensor;

use self::quality::Quality;
use self::retinaface::Retinaface;
use super::detector::Positives;
use crate::anchors::Targets;
use crate::config::{HeadKind, LossConfig};

pub(super) use quality::quality_focal;

/// The class loss of a kind of heads.
pub(super) trait ClassLoss {
    /// The class loss of a batch `[1]`, of its `logits` `[B,N,k]`, what the anchors should say, and how
    /// well the boxes of the positives lie, `[P]`.
    fn cost(
        &self,
        logits: &Tensor<3>,
        targets: &[Targets],
        positives: &Positives,
        overlaps: &dyn Fn() -> Tensor<1>,
    ) -> Tensor<1>;
}

/// The loss of this kind of heads.
pub(super) fn class_loss(kind: HeadKind, config: &LossConfig) -> Box<dyn ClassLoss> {
    match kind {
        HeadKind::Retinaface => Box::new(Retinaface {
            negative_ratio: config.negative_ratio,
        }),
        HeadKind::Quality => Box::new(Quality {
            beta: config.quality_beta,
        }),
    }
}

/// Log-odds of a face, `[B,N]`, of logits `[B,N,k]`.
pub(super) fn log_odds(logits: &Tensor<3>) -> Tensor<2> {
    let [_, _, k] = logits.dims();
    let last = logits.clone().narrow(2, k - 1, 1);
    let odds = match k {
        1 => last,
        _ => last - logits.clone().narrow(2, 0, 1),
    };
    odds.squeeze_dim(2)
}
