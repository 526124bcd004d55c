//! Anchors and the box coder.

use serde::{Deserialize, Serialize};

/// Anchors and the box coder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AnchorConfig {
    /// Anchor sides of each level, pixels. Every level has the same number of anchors.
    pub min_sizes: Vec<Vec<f32>>,
    /// Stride of each level, pixels; the backbones give these.
    pub strides: Vec<usize>,
    /// Where in its cell an anchor's centre lies, in strides.
    pub offset: f32,
    /// Scales of centre and size deltas.
    pub variances: [f32; 2],
}

impl Default for AnchorConfig {
    fn default() -> Self {
        Self {
            min_sizes: vec![vec![16.0, 32.0], vec![64.0, 128.0], vec![256.0, 512.0]],
            strides: vec![8, 16, 32],
            offset: 0.5,
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
