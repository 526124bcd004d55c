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

/// The aligner and how it is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AlignerConfig {
    /// Side of the square crops, pixels.
    pub side: u32,
    /// Side of a crop, in longer sides of the upright face's landmarks.
    pub context: f32,
    /// What the linear layer reads: C3, C4 and C5 reduced, or C5 as it is (a classifier without its
    /// pooling).
    pub features: Features,
    /// Channels that C3, C4 and C5 are reduced to before the linear layer, where it reads all three.
    pub channels: [usize; 3],
    /// Channels of the heatmaps beside the linear layer; 0: none.
    pub heatmap_channels: usize,
    /// Whether every landmark gets a confidence.
    pub uncertainty: bool,
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
            features: Features::Scales,
            channels: [32, 32, 64],
            heatmap_channels: 0,
            uncertainty: true,
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
