//! Augmentations that change pixels where they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Colour jitter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColorConfig {
    /// How often.
    pub probability: f32,
    /// Brightness is multiplied by 1 - this to 1 + this.
    pub brightness: f32,
    /// Distances from the mean brightness, likewise.
    pub contrast: f32,
    /// Distances from grey, likewise.
    pub saturation: f32,
    /// Hues turn by up to this to either side, degrees.
    pub hue: f32,
}

impl Default for ColorConfig {
    fn default() -> Self {
        Self {
            probability: 0.5,
            brightness: 0.3,
            contrast: 0.3,
            saturation: 0.3,
            hue: 15.0,
        }
    }
}

/// Conversion to grey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GreyConfig {
    /// How often.
    pub probability: f32,
}

impl Default for GreyConfig {
    fn default() -> Self {
        Self { probability: 0.05 }
    }
}

/// Gaussian blur.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlurConfig {
    /// How often.
    pub probability: f32,
    /// Smallest and largest standard deviation, pixels of the crop.
    pub sigma: [f32; 2],
}

impl Default for BlurConfig {
    fn default() -> Self {
        Self {
            probability: 0.1,
            sigma: [0.4, 1.6],
        }
    }
}

/// JPEG compression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JpegConfig {
    /// How often.
    pub probability: f32,
    /// Lowest and highest quality, 1 to 100.
    pub quality: [u8; 2],
}

impl Default for JpegConfig {
    fn default() -> Self {
        Self {
            probability: 0.1,
            quality: [25, 85],
        }
    }
}

/// Random erasing. Points under the rectangle stay labelled: the network has to guess them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EraseConfig {
    /// How often.
    pub probability: f32,
    /// Smallest and largest area of the rectangle, share of the face's box.
    pub area: [f32; 2],
}

impl Default for EraseConfig {
    fn default() -> Self {
        Self {
            probability: 0.2,
            area: [0.05, 0.3],
        }
    }
}

/// A crop of few pixels, enlarged again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LowResConfig {
    /// How often.
    pub probability: f32,
    /// Smallest and largest side that the crop is shrunk to, pixels, each factor equally likely.
    ///
    /// A side above that of the crop changes nothing.
    pub side: [u32; 2],
}

impl Default for LowResConfig {
    fn default() -> Self {
        Self {
            probability: 0.0,
            side: [24, 96],
        }
    }
}

/// An object in front of a face: another part of the photo, fingers or a smooth patch. Points under
/// it stay labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OccludeConfig {
    /// How often.
    pub probability: f32,
    /// Smallest and largest area of the object, share of the face's box.
    pub area: [f32; 2],
}

impl Default for OccludeConfig {
    fn default() -> Self {
        Self {
            probability: 0.0,
            area: [0.1, 0.4],
        }
    }
}
