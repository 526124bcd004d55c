//! The second look: a network that sees one face at a time.

use serde::{Deserialize, Serialize};

/// What the linear layer of an aligner reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Features {
    /// C3, C4 and C5, each reduced to a few channels.
    Scales,
    /// C5 alone, all its channels at all places: a classifier without its average pooling.
    Last,
}

/// Where all landmarks of a face lie around eyes, nose and mouth corners. The defaults are the means
/// over 4,987 WFLW faces: crops made with them differ from those around the landmarks themselves by
/// 7 per cent in size and by 3 per cent of the face along either axis (standard deviations).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AroundFive {
    /// Longer side of their upright bounds, in longer sides of those of the five points.
    pub scale: f32,
    /// How far their middle lies below that of the five, in the same unit.
    pub drop: f32,
    /// How far it lies to the other side than the nose, in distances of the nose from the middle of
    /// the five: the more a head is turned, the more of it lies behind the nose.
    pub turn: f32,
}

impl Default for AroundFive {
    fn default() -> Self {
        Self {
            scale: 2.11,
            drop: 0.18,
            turn: 1.45,
        }
    }
}

/// How a landmark's confidence follows from the scale that the network gives of its errors. The
/// defaults take that scale at its word: of errors along two axes with Laplace distributions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConfidenceConfig {
    /// The scale at which a confidence is a half, share of the face's longer side.
    pub half_at: f32,
    /// How steeply confidence falls there: it is `1 / (1 + (scale / half_at)^slope)`.
    pub slope: f32,
}

impl Default for ConfidenceConfig {
    fn default() -> Self {
        Self {
            half_at: 0.0407,
            slope: 2.03,
        }
    }
}

impl ConfidenceConfig {
    /// The one whose log odds are `a + b z` where those of this one are `z`.
    #[must_use]
    pub fn through(self, [a, b]: [f32; 2]) -> Self {
        let slope = self.slope * b;
        Self {
            half_at: self.half_at * (a / slope).exp(),
            slope,
        }
    }
}

/// The aligner and how it is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AlignerConfig {
    /// Side of the square crops, pixels.
    pub side: u32,
    /// Side of a crop, in longer sides of the upright face's landmarks.
    pub context: f32,
    /// Where the landmarks lie around five points, for crops after a network of other landmarks.
    pub around_five: AroundFive,
    /// What the linear layer reads: C3, C4 and C5 reduced, or C5 as it is (a classifier without its
    /// pooling).
    pub features: Features,
    /// Channels that C3, C4 and C5 are reduced to before the linear layer, where it reads all three.
    pub channels: [usize; 3],
    /// Channels of the heatmaps beside the linear layer; 0: none.
    pub heatmap_channels: usize,
    /// Whether every landmark gets a confidence.
    pub uncertainty: bool,
    /// What the confidences of landmarks are; `pack --confidence` measures it.
    pub confidence: ConfidenceConfig,
    /// Whether it tells how the head is turned.
    pub pose: bool,
    /// Lowest score of faces that are looked at again.
    pub min_score: f32,
    /// How often each face is looked at, every time around the points found before.
    pub passes: usize,
    /// Look at the mirrored crop too and take the mean.
    pub flip: bool,
}

impl Default for AlignerConfig {
    fn default() -> Self {
        Self {
            side: 128,
            context: 1.25,
            around_five: AroundFive::default(),
            features: Features::Scales,
            channels: [32, 32, 64],
            heatmap_channels: 0,
            uncertainty: true,
            confidence: ConfidenceConfig::default(),
            pose: false,
            min_score: 0.3,
            passes: 2,
            flip: false,
        }
    }
}

impl AlignerConfig {
    /// The one anchor of a crop, `[cx, cy, w, h]` in its pixels: the square that the face's
    /// landmarks fill along their longer side.
    pub fn anchor_cxcywh(&self) -> [f32; 4] {
        let side = self.side as f32;
        let face = side / self.context;
        [side * 0.5, side * 0.5, face, face]
    }
}
