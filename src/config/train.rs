//! Weights of the losses, the training loop.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::landmark_loss::LandmarkLossKind;
use crate::pose_loss::PoseLossKind;

/// Losses of boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoxLoss {
    /// SmoothL1 of the four numbers that tell a box.
    #[default]
    SmoothL1,
    /// Generalised IoU (Rezatofighi et al., 2019, arXiv:1902.09630): 1 minus IoU, plus the share of
    /// the smallest box around both that neither covers.
    Giou,
    /// Distance IoU (Zheng et al., 2019, arXiv:1911.08287): 1 minus IoU, plus the squared distance of
    /// the centres over the squared diagonal of the smallest box around both.
    Diou,
}

/// The losses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// Weight of the classes: face or background.
    pub class_weight: f32,
    /// Weight of the boxes.
    pub box_weight: f32,
    /// Weight of the landmarks.
    pub landmark_weight: f32,
    /// Weight of the likelihood that the aligner's confidences learn from.
    pub uncertainty_weight: f32,
    /// Loss of the boxes.
    pub boxes: BoxLoss,
    /// Heads of kind `retinaface`: hard negatives per positive.
    pub negative_ratio: f32,
    /// Heads of kind quality, and scores of a teacher: the exponent of the quality focal loss.
    pub quality_beta: f32,
    /// Whether a face's landmarks count the sum over its WFLW attributes of 1 / (share of faces with it).
    pub attribute_weights: bool,
    /// What a face's landmarks cost.
    pub landmark: LandmarkLossKind,
    /// Which loss of the head's pose, where the aligner tells it.
    pub pose: PoseLossKind,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            class_weight: 1.0,
            box_weight: 2.0,
            landmark_weight: 1.0,
            uncertainty_weight: 0.1,
            boxes: BoxLoss::SmoothL1,
            negative_ratio: 7.0,
            quality_beta: 2.0,
            attribute_weights: false,
            landmark: LandmarkLossKind::default(),
            pose: PoseLossKind::default(),
        }
    }
}

/// The training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Folder of checkpoints, logs and final weights.
    pub out: PathBuf,
    /// Number of epochs.
    pub epochs: usize,
    /// Photos drawn per epoch; 0: as many as the sources hold.
    pub samples_per_epoch: usize,
    /// Photos per micro-batch.
    pub batch_size: usize,
    /// Side of the square training crops, pixels.
    pub crop: u32,
    /// Checkpoints kept besides the best.
    pub keep_last: usize,
    /// Epochs between validations.
    pub validate_every: usize,
    /// Optimiser steps after which the network trains as the executor computes it in 8 bits; 0:
    /// never.
    pub quantize_after: usize,
    /// Weights of the other network: validation and snapshots then take both looks.
    pub partner: Option<PathBuf>,
    /// Task `align`: weights of the aligners that look before this one; its crops are made of what they
    /// find.
    pub after: Option<PathBuf>,
    /// Weights averaged into the final ones (WiSE-FT), such as the start weights.
    pub blend_weights: Option<PathBuf>,
    /// Their share in the average, 0 to 1; 0: not averaged.
    pub blend_share: f32,
}

impl TrainConfig {
    /// What the final weights are averaged with, and its share; `None`: nothing.
    pub fn blend(&self) -> Option<(&Path, f32)> {
        let path = self.blend_weights.as_deref()?;
        (self.blend_share > 0.0).then_some((path, self.blend_share))
    }
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            out: PathBuf::from("weights/run"),
            epochs: 80,
            samples_per_epoch: 0,
            batch_size: 16,
            crop: 320,
            keep_last: 2,
            validate_every: 1,
            quantize_after: 0,
            partner: None,
            after: None,
            blend_weights: None,
            blend_share: 0.0,
        }
    }
}

/// Snapshots: validation photos drawn while training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotConfig {
    /// Where drawn validation photos go.
    pub dir: PathBuf,
    /// Steps between snapshots within an epoch; 0: at its end only.
    pub every_batches: usize,
    /// Photos on the contact sheet of each epoch; 0: no snapshots.
    pub photos: usize,
    /// Lowest score drawn.
    pub score: f32,
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("performance_check"),
            every_batches: 0,
            photos: 12,
            score: 0.5,
        }
    }
}
