//! Learning from another detector.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a detector learns of another one, which looks at the same crops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DistillConfig {
    /// The teacher: an SCRFD detector as ONNX, or a weights file of this program. Its anchors are as
    /// many as ours at every size.
    pub weights: Option<PathBuf>,
    /// Weight of what it says about scores.
    pub score_weight: f32,
    /// Weight of what it says about boxes.
    pub box_weight: f32,
    /// Boxes count from this score of the teacher on.
    pub min_score: f32,
    /// What the classes and boxes of the lists count beside it.
    pub label_weight: f32,
}

impl Default for DistillConfig {
    fn default() -> Self {
        Self {
            weights: None,
            score_weight: 1.0,
            box_weight: 2.0,
            min_score: 0.05,
            label_weight: 0.0,
        }
    }
}
