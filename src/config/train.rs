//! Matching, weights of the losses, the training loop.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::landmark_loss::LandmarkLossKind;

/// Which anchors learn which face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatcherConfig {
    /// An anchor with at least this IoU is positive.
    pub positive_iou: f32,
    /// The best anchor of a face is positive from this IoU on.
    pub forced_iou: f32,
    /// An anchor with more than this share of its area in an ignored region is ignored.
    pub ignored_share: f32,
}

impl Default for MatcherConfig {
    fn default() -> Self {
        Self {
            positive_iou: 0.35,
            forced_iou: 0.2,
            ignored_share: 0.5,
        }
    }
}

/// The multi-box loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// Weight of the class part.
    pub class_weight: f32,
    /// Weight of the box part.
    pub box_weight: f32,
    /// Weight of the landmark part.
    pub landmark_weight: f32,
    /// Weight of the likelihood that the aligner's confidences learn from.
    pub uncertainty_weight: f32,
    /// Hard negatives per positive.
    pub negative_ratio: f32,
    /// Whether faces count the more in the landmark loss the rarer their attributes are.
    pub attribute_weights: bool,
    /// Which landmark loss.
    pub landmark: LandmarkLossKind,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            class_weight: 1.0,
            box_weight: 2.0,
            landmark_weight: 1.0,
            uncertainty_weight: 0.1,
            negative_ratio: 7.0,
            attribute_weights: false,
            landmark: LandmarkLossKind::default(),
        }
    }
}

/// The training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Side of the square crops, pixels.
    pub crop: u32,
    /// Checkpoints kept besides the best.
    pub keep_last: usize,
    /// Epochs between validations.
    pub validate_every: usize,
    /// Optimiser steps after which the network trains as the executor computes it in 8 bits; 0:
    /// never.
    pub quantize_after: usize,
    /// Weights of the other network: with them, validation and snapshots take both looks.
    pub partner: Option<PathBuf>,
    /// Weights that the final ones are averaged with, such as those that training started from.
    pub blend_weights: Option<PathBuf>,
    /// Their share in the average; 0: not averaged.
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
            blend_weights: None,
            blend_share: 0.0,
        }
    }
}

/// Snapshots: validation photos drawn while training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotConfig {
    /// Where they go.
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
