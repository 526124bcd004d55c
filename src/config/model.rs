//! What the network is: landmarks, input, architecture, anchors, start weights.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::geometry::Scheme;

/// Which landmarks a face has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LandmarksConfig {
    /// `wflw98`, `ibug68`, `five` or `custom`.
    pub scheme: SchemeName,
    /// The points of a `custom` scheme.
    pub custom: Option<CustomScheme>,
}

/// Names of the landmark schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// WFLW, 98 points.
    Wflw98,
    /// iBUG 300-W, 68 points.
    Ibug68,
    /// Eyes, nose and mouth corners.
    Five,
    /// As given under `landmarks.custom`.
    Custom,
}

/// A landmark scheme of the user's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomScheme {
    /// Number of points.
    pub points: usize,
    /// Pairs of points that swap in a horizontal flip; all others stay.
    #[serde(default)]
    pub flip_pairs: Vec<(usize, usize)>,
    /// The two points whose distance divides the error.
    pub normalise: [usize; 2],
    /// Points of the left eye (left in the picture), right eye, nose, left and right mouth
    /// corner; needed for aligned crops only.
    #[serde(default)]
    pub anatomy: CustomAnatomy,
}

/// Point indices of the parts that aligned crops use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomAnatomy {
    /// Eye on the left of the picture.
    pub left_eye: Vec<usize>,
    /// Eye on the right of the picture.
    pub right_eye: Vec<usize>,
    /// Tip of the nose.
    pub nose: Vec<usize>,
    /// Mouth corner on the left of the picture.
    pub mouth_left: Vec<usize>,
    /// Mouth corner on the right of the picture.
    pub mouth_right: Vec<usize>,
}

impl Default for LandmarksConfig {
    fn default() -> Self {
        Self {
            scheme: SchemeName::Wflw98,
            custom: None,
        }
    }
}

impl LandmarksConfig {
    /// The scheme that this section describes.
    ///
    /// # Errors
    /// When a custom scheme is missing or contradicts itself.
    pub fn scheme(&self) -> anyhow::Result<Scheme> {
        match (self.scheme, &self.custom) {
            (SchemeName::Wflw98, _) => Ok(Scheme::wflw98()),
            (SchemeName::Ibug68, _) => Ok(Scheme::ibug68()),
            (SchemeName::Five, _) => Ok(Scheme::five()),
            (SchemeName::Custom, None) => {
                anyhow::bail!("landmarks.scheme is custom, but landmarks.custom is missing")
            }
            (SchemeName::Custom, Some(c)) => {
                let a = c.anatomy.clone();
                let anatomy = crate::geometry::landmarks::Anatomy {
                    left_eye: a.left_eye,
                    right_eye: a.right_eye,
                    nose: a.nose,
                    mouth_left: a.mouth_left,
                    mouth_right: a.mouth_right,
                };
                Scheme::new("custom", c.points, &c.flip_pairs, c.normalise, anatomy)
            }
        }
    }
}

/// How pixels become numbers. Belongs to the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InputConfig {
    /// Channel order the network was trained with.
    pub channel_order: ChannelOrder,
    /// Subtracted from each channel (0..255), in `channel_order`.
    pub mean: [f32; 3],
    /// Divides each channel after the mean, in `channel_order`.
    pub std: [f32; 3],
}

/// Order of colour channels in the input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first (OpenCV's order).
    Bgr,
}

impl InputConfig {
    /// The colour that the network sees as zero, red first.
    pub fn mean_rgb(&self) -> [u8; 3] {
        let [a, b, c] = self.mean.map(|v| v.round() as u8);
        match self.channel_order {
            ChannelOrder::Rgb => [a, b, c],
            ChannelOrder::Bgr => [c, b, a],
        }
    }
}

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            channel_order: ChannelOrder::Bgr,
            mean: [104.0, 117.0, 123.0],
            std: [1.0; 3],
        }
    }
}

/// Backbone families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// The architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Backbone family.
    pub backbone: BackboneKind,
    /// Channels of a MobileNet relative to the full network (0.25, 0.5, 1.0).
    pub width_multiplier: f32,
    /// Channels of FPN, SSH and heads (64 or 256; a multiple of 4).
    pub neck_channels: usize,
    /// Channel reduction of the SE block on each level; 0 leaves the blocks out.
    pub se_reduction: usize,
    /// 3x3 convolutions between the neck and the landmark head; 0 is the plain 1x1 head.
    pub landmark_tower_layers: usize,
    /// Channels of that tower.
    pub landmark_tower_channels: usize,
    /// Whether the landmark heads speak in terms of the predicted box instead of the anchor.
    pub landmarks_in_box: bool,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneKind::MobilenetV1,
            width_multiplier: 0.25,
            neck_channels: 64,
            se_reduction: 16,
            landmark_tower_layers: 0,
            landmark_tower_channels: 64,
            landmarks_in_box: false,
        }
    }
}

/// Anchors and the box coder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnchorConfig {
    /// Anchor sides of each level, pixels. Every level has the same number of anchors.
    pub min_sizes: Vec<Vec<f32>>,
    /// Stride of each level, pixels.
    pub strides: Vec<usize>,
    /// Scales of centre and size deltas.
    pub variances: [f32; 2],
}

impl Default for AnchorConfig {
    fn default() -> Self {
        Self {
            min_sizes: vec![vec![16.0, 32.0], vec![64.0, 128.0], vec![256.0, 512.0]],
            strides: vec![8, 16, 32],
            variances: [0.1, 0.2],
        }
    }
}

impl AnchorConfig {
    /// Anchors at each location (the same on every level).
    pub fn per_location(&self) -> usize {
        self.min_sizes.first().map_or(0, Vec::len)
    }
}

/// Weights to start training from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InitConfig {
    /// A retinamark `.safetensors`, or a PyTorch detector or ImageNet backbone; none: random.
    pub weights: Option<PathBuf>,
    /// Prefixes of our tensors that the file may lack; they start at random.
    pub allow_new: Vec<String>,
    /// Prefixes of the file's tensors that may be left over.
    pub allow_unused: Vec<String>,
}
