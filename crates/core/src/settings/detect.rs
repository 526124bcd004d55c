//! Defaults of detection.

use serde::{Deserialize, Serialize};

/// Defaults of `detect`, `evaluate` and validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DetectConfig {
    /// Longer side of the network input, pixels.
    pub size: u32,
    /// Lowest score shown.
    pub score: f32,
    /// Lowest score that evaluation looks at (AP).
    pub evaluate_score: f32,
    /// Lowest score that counts as found in the joint protocol.
    pub joint_score: f32,
    /// IoU above which the weaker of two boxes goes.
    pub nms_iou: f32,
    /// Candidates that enter NMS.
    pub top_k: usize,
    /// Faces kept after NMS.
    pub max_faces: usize,
    /// Anchors whose landmarks are averaged for each face; 1: those of the best one stand alone.
    pub landmark_votes: usize,
}

impl Default for DetectConfig {
    fn default() -> Self {
        Self {
            size: 640,
            score: 0.5,
            evaluate_score: 0.02,
            joint_score: 0.3,
            nms_iou: 0.4,
            top_k: 5000,
            max_faces: 750,
            landmark_votes: 9,
        }
    }
}
