//! Augmentations that move pixels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The square crop. A face is chosen and brought to a size that is drawn log-uniformly from
/// `min_face` pixels to `max_face` of the crop, as far as `max_upscale` and the photo allow; the
/// crop is placed at random such that the face lies inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CropConfig {
    /// How often the crop is a square anywhere in the photo instead.
    pub free_share: f32,
    /// Smallest and largest side of those, in shorter sides of the photo.
    pub free_sides: [f32; 2],
    /// How often the chosen face is one with landmarks, where the photo has such.
    pub landmark_share: f32,
    /// Smallest size of the chosen face in the crop, pixels (square root of its area).
    pub min_face: f32,
    /// Largest longer side of the chosen face, share of the crop.
    pub max_face: f32,
    /// Photos are never enlarged more than this.
    pub max_upscale: f32,
    /// Other faces are kept from this visible share of their box on, if their centre is inside.
    pub keep_visible: f32,
    /// Below `keep_visible`, they are ignored from this visible share on, and dropped below it.
    pub ignore_visible: f32,
    /// Faces smaller than this in the crop are ignored, pixels (square root of the area).
    pub min_pixels: f32,
}

impl Default for CropConfig {
    fn default() -> Self {
        Self {
            free_share: 0.0,
            free_sides: [0.3, 2.0],
            landmark_share: 0.7,
            min_face: 12.0,
            max_face: 0.9,
            max_upscale: 2.5,
            keep_visible: 0.5,
            ignore_visible: 0.1,
            min_pixels: 8.0,
        }
    }
}

/// Zoom-out: without it, the longer side of the photo at least fills the crop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ZoomOutConfig {
    /// How often.
    pub probability: f32,
    /// Largest crop, in longer sides of the photo.
    pub max_factor: f32,
}

impl Default for ZoomOutConfig {
    fn default() -> Self {
        Self {
            probability: 0.3,
            max_factor: 2.5,
        }
    }
}

/// Task `align`: how far the crop is from the true one, as with the detector's coarse landmarks.
/// Errors are drawn from normal distributions. On 330 training faces those of a detector early in
/// its training had standard deviations of 0.036 and 0.034 (shift), 0.063 (scale) and 4.4 degrees;
/// the defaults are a little larger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FaceCropConfig {
    /// Standard deviation of the centre along each axis, share of the face's longer side.
    pub shift: f32,
    /// Standard deviation of the logarithm of the size.
    pub scale: f32,
    /// Standard deviation of the angle, degrees; `rotation` comes on top.
    pub turn: f32,
}

impl Default for FaceCropConfig {
    fn default() -> Self {
        Self {
            shift: 0.04,
            scale: 0.07,
            turn: 5.0,
        }
    }
}

/// Rotation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotationConfig {
    /// How often.
    pub probability: f32,
    /// Largest angle to either side, degrees.
    pub degrees: f32,
}

impl Default for RotationConfig {
    fn default() -> Self {
        Self {
            probability: 0.5,
            degrees: 30.0,
        }
    }
}

/// Horizontal flip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FlipConfig {
    /// How often.
    pub probability: f32,
}

impl Default for FlipConfig {
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

/// Width and height scaled against each other, about the middle of the crop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StretchConfig {
    /// How often.
    pub probability: f32,
    /// Largest growth of a side; the other one shrinks by the same factor.
    ///
    /// The logarithm of the factor is drawn evenly.
    pub max: f32,
}

impl Default for StretchConfig {
    fn default() -> Self {
        Self {
            probability: 0.0,
            max: 0.15,
        }
    }
}

/// Perspective: each corner of the crop moves by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PerspectiveConfig {
    /// How often.
    pub probability: f32,
    /// Largest move along each axis, share of the crop's side; at most 0.2.
    ///
    /// From 0.25 on, corners could meet the line between their neighbours.
    pub share: f32,
}

impl Default for PerspectiveConfig {
    fn default() -> Self {
        Self {
            probability: 0.0,
            share: 0.08,
        }
    }
}

/// The face that the crop is built around seems to turn to the side: one half of it is compressed
/// and the other widened (see [`YawWarp`](crate::geometry::YawWarp)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct YawConfig {
    /// How often.
    pub probability: f32,
    /// Largest move of its middle, in 0.7 widths of the face; at most 0.5, 0.3 is like 17 degrees.
    pub shift: f32,
}

impl Default for YawConfig {
    fn default() -> Self {
        Self {
            probability: 0.0,
            shift: 0.25,
        }
    }
}
