//! Everything that running a network takes.

use serde::Deserialize;

use super::{
    AlignerConfig, AnchorConfig, DetectConfig, HeadConfig, InputConfig, LandmarksConfig,
    ModelConfig, Task,
};

/// The part of a network's configuration that running it needs; training has more sections, which
/// are passed over here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which network it is.
    pub task: Task,
    /// Landmark scheme.
    pub landmarks: LandmarksConfig,
    /// Pixels to numbers.
    pub input: InputConfig,
    /// Architecture.
    pub model: ModelConfig,
    /// Anchors and variances.
    pub anchors: AnchorConfig,
    /// What the detector's numbers mean.
    pub head: HeadConfig,
    /// The second look.
    pub aligner: AlignerConfig,
    /// Inference.
    pub detect: DetectConfig,
}
