//! Augmentations: each with its probability and range.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::check::Check;

/// How training photos are varied. All ranges are drawn from evenly unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Which part of the photo, at which scale.
    pub crop: CropConfig,
    /// Photos smaller than the crop, on the mean colour.
    pub zoom_out: ZoomOutConfig,
    /// Turning in the picture plane.
    pub rotation: RotationConfig,
    /// Left and right swapped, with the scheme's own pairs.
    pub flip: FlipConfig,
    /// Brightness, contrast, saturation, hue.
    pub color: ColorConfig,
    /// Colour taken away.
    pub grey: GreyConfig,
    /// Gaussian blur.
    pub blur: BlurConfig,
    /// JPEG artefacts.
    pub jpeg: JpegConfig,
    /// A rectangle painted over part of a face.
    pub erase: EraseConfig,
}

/// The square crop. A face is chosen and brought to a size that is drawn log-uniformly from
/// `min_face` pixels to `max_face` of the crop, as far as `max_upscale` and the photo allow; the
/// crop is placed at random such that the face lies inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CropConfig {
    /// How often the chosen face is one with landmarks, where the photo has such.
    pub landmark_share: f32,
    /// Smallest size of the chosen face in the crop (square root of its area), pixels.
    pub min_face: f32,
    /// Largest longer side of the chosen face, share of the crop.
    pub max_face: f32,
    /// Photos are never enlarged more than this.
    pub max_upscale: f32,
    /// Other faces are kept from this visible share of their box on, if their centre is inside.
    pub keep_visible: f32,
    /// Below `keep_visible`, they are ignored from this visible share on, and dropped below it.
    pub ignore_visible: f32,
    /// Faces smaller than this in the crop (square root of the area), pixels, are ignored.
    pub min_pixels: f32,
}

impl Default for CropConfig {
    fn default() -> Self {
        Self {
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Rotation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Colour jitter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColorConfig {
    /// How often.
    pub probability: f32,
    /// Brightness is multiplied by `1 ± brightness`.
    pub brightness: f32,
    /// Distances from the mean brightness are multiplied by `1 ± contrast`.
    pub contrast: f32,
    /// Distances from grey are multiplied by `1 ± saturation`.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

impl AugmentConfig {
    /// Whether all values make sense.
    ///
    /// # Errors
    /// Names every key with an impossible value and what is allowed.
    pub fn validate(&self) -> Result<()> {
        let mut check = Check::default();
        self.check(&mut check);
        check.finish()
    }

    pub(super) fn check(&self, check: &mut Check) {
        let c = &self.crop;
        for (key, probability) in [
            ("augment.crop.landmark_share", c.landmark_share),
            ("augment.crop.keep_visible", c.keep_visible),
            ("augment.crop.ignore_visible", c.ignore_visible),
            ("augment.zoom_out.probability", self.zoom_out.probability),
            ("augment.rotation.probability", self.rotation.probability),
            ("augment.flip.probability", self.flip.probability),
            ("augment.color.probability", self.color.probability),
            ("augment.color.brightness", self.color.brightness),
            ("augment.color.contrast", self.color.contrast),
            ("augment.color.saturation", self.color.saturation),
            ("augment.grey.probability", self.grey.probability),
            ("augment.blur.probability", self.blur.probability),
            ("augment.jpeg.probability", self.jpeg.probability),
            ("augment.erase.probability", self.erase.probability),
        ] {
            check.between(key, probability, 0.0, 1.0);
        }
        check.between("augment.crop.min_face", c.min_face, 1.0, 10_000.0);
        check.between("augment.crop.max_face", c.max_face, 0.05, 1.0);
        check.between("augment.crop.max_upscale", c.max_upscale, 0.1, 100.0);
        check.between("augment.crop.min_pixels", c.min_pixels, 0.0, c.min_face);
        check.between(
            "augment.zoom_out.max_factor",
            self.zoom_out.max_factor,
            1.0,
            100.0,
        );
        check.between(
            "augment.rotation.degrees",
            self.rotation.degrees,
            0.0,
            180.0,
        );
        check.between("augment.color.hue", self.color.hue, 0.0, 180.0);
        check.range("augment.blur.sigma", self.blur.sigma, 0.01, 50.0);
        check.range("augment.jpeg.quality", self.jpeg.quality, 1, 100);
        check.range("augment.erase.area", self.erase.area, 0.0, 1.0);
    }
}
