//! The section `optimizer`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::OptimizerKind;
use crate::check::Check;
use crate::kinds::section;

/// The optimiser: a kind with its own settings, and what all kinds have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct OptimizerConfig {
    /// Which one.
    #[serde(flatten, skip_deserializing)]
    pub kind: OptimizerKind,
    /// Highest learning rate; the schedule lowers it.
    pub learning_rate: f64,
    /// Not on norms and biases; adamw: decoupled, others: added to the gradients.
    pub weight_decay: f32,
    /// Penalties on the same weights, part of the loss.
    pub regularizer: Regularizer,
    /// Largest norm of all gradients together; 0: not clipped.
    pub clip_norm: f32,
    /// Micro-batches whose gradients are averaged into one step.
    pub accumulate: usize,
    /// Decay of the moving average of the weights; 0: none.
    pub ema_decay: f64,
    /// Epochs at the start in which the backbone does not learn.
    pub freeze_backbone_epochs: usize,
    /// Parts that never learn: backbone, fpn, ssh, se, class_heads, box_heads, landmark_heads; of family
    /// scrfd pafpn and pairs instead of fpn and ssh; of an aligner backbone, reduce, halve, points, scales,
    /// pose, heatmaps.
    pub freeze: Vec<String>,
}

/// Penalties on the weights that decay, part of the loss: `l1 sum |w| + l2 sum w^2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Regularizer {
    /// Of their absolute values; 0: none.
    pub l1: f32,
    /// Of their squares; 0: none.
    pub l2: f32,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::default(),
            learning_rate: 1e-3,
            weight_decay: 5e-4,
            regularizer: Regularizer::default(),
            clip_norm: 10.0,
            accumulate: 1,
            ema_decay: 0.998,
            freeze_backbone_epochs: 0,
            freeze: Vec::new(),
        }
    }
}

section!(OptimizerConfig);

impl OptimizerConfig {
    /// Whether the values make sense.
    pub(crate) fn check(&self, check: &mut Check) {
        self.kind.rule().check(check);
        check.positive("optimizer.learning_rate", self.learning_rate, 100.0);
        check.between("optimizer.weight_decay", self.weight_decay, 0.0, 10.0);
        let Regularizer { l1, l2 } = self.regularizer;
        check.between("optimizer.regularizer.l1", l1, 0.0, 10.0);
        check.between("optimizer.regularizer.l2", l2, 0.0, 10.0);
        check.between("optimizer.clip_norm", self.clip_norm, 0.0, 1e9);
        check.between("optimizer.accumulate", self.accumulate, 1, 65_536);
        check.below("optimizer.ema_decay", self.ema_decay, 0.0, 1.0);
    }
}

impl Regularizer {
    /// Whether there is no penalty.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The penalty of `weights`.
    pub(super) fn penalty(self, weights: &[f32]) -> f64 {
        let (mut sizes, mut squares) = (0.0, 0.0);
        for &w in weights {
            let w = f64::from(w);
            sizes += w.abs();
            squares += w * w;
        }
        f64::from(self.l1) * sizes + f64::from(self.l2) * squares
    }

    /// Add `times` its gradient by `weights` to `gradients`.
    pub(super) fn add_gradient(self, weights: &[f32], times: f32, gradients: &mut [f32]) {
        let (l1, l2) = (times * self.l1, times * 2.0 * self.l2);
        for (g, &w) in gradients.iter_mut().zip(weights) {
            // A weight of zero is pulled to neither side.
            let sign = if w == 0.0 { 0.0 } else { w.signum() };
            *g += l1 * sign + l2 * w;
        }
    }
}
