//! The architecture of the detector.

use serde::{Deserialize, Serialize};

/// Backbone families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackboneKind {
    /// MobileNetV1 with `width_multiplier`.
    MobilenetV1,
    /// MobileNetV3-Large with `width_multiplier`.
    MobilenetV3Large,
    /// ResNet-18.
    Resnet18,
    /// ResNet-50.
    Resnet50,
    /// That of SCRFD-0.5GF.
    #[serde(rename = "scrfd_500m")]
    Scrfd500m,
    /// Plain 3x3 convolutions and pools with `width_multiplier`: for small crops.
    Plain,
}

/// Shapes of what lies between the backbone and the outputs of a detector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// RetinaFace: a feature pyramid, then SSH on each level; heads are 1x1 convolutions.
    #[default]
    Retinaface,
    /// SCRFD: a path-aggregating pyramid, then two separable convolutions on each level; heads of
    /// classes and boxes are 3x3 convolutions. Without norms.
    Scrfd,
}

/// The architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Of a detector: FPN, SSH and 1x1 heads, or a path-aggregating pyramid, separable convolutions and
    /// 3x3 heads.
    pub family: Family,
    /// Backbone; `plain` is for small crops.
    pub backbone: BackboneKind,
    /// Channels of a MobileNet or plain backbone relative to the full network (0.25, 0.5, 1.0).
    pub width_multiplier: f32,
    /// Channels of each layer of a MobileNetV1 or plain backbone, times this once more than the
    /// layer before: `width_multiplier * depth_gamma^i` for layer `i`.
    pub depth_gamma: f32,
    /// Whether convolutions have batch norms; without, they have biases, and the numbers of the
    /// input should be near 1.
    pub batch_norm: bool,
    /// Channels of FPN, SSH and heads: 64 for small backbones, 256 for ResNets; a multiple of 4. Of the
    /// pyramid of family scrfd: 16.
    pub neck_channels: usize,
    /// Family scrfd: channels of what the heads read.
    pub head_channels: usize,
    /// Channel reduction of the squeeze-and-excitation block on each level; 0: no blocks.
    pub se_reduction: usize,
    /// 3x3 convolutions between the neck and the landmark head; 0: the plain 1x1 head.
    pub landmark_tower_layers: usize,
    /// Channels of that tower.
    pub landmark_tower_channels: usize,
    /// Channels that the landmark heads read of the backbone besides what the neck gives, by a 1x1
    /// convolution of each level; 0: none.
    pub landmark_lateral_channels: usize,
    /// Whether the landmark heads speak in terms of the predicted box instead of the anchor.
    pub landmarks_in_box: bool,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            family: Family::Retinaface,
            backbone: BackboneKind::MobilenetV1,
            width_multiplier: 0.25,
            depth_gamma: 1.0,
            batch_norm: true,
            neck_channels: 64,
            head_channels: 64,
            se_reduction: 16,
            landmark_tower_layers: 0,
            landmark_tower_channels: 64,
            landmark_lateral_channels: 0,
            landmarks_in_box: false,
        }
    }
}
