//! Augmentations: each with its probability and range.

mod geometric;
mod pixels;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use geometric::*;
pub use pixels::*;

use crate::check::Check;
use crate::geometry::YawWarp;

/// Largest move of a corner, share of the crop's side: any four corners are convex below 0.25.
const MAX_PERSPECTIVE: f32 = 0.2;

/// How training photos are varied. All ranges are drawn from evenly unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// A face is chosen, brought to a size, and the square laid around it at random.
    pub crop: CropConfig,
    /// Task `align`: how wrong the crop is; standard deviations.
    pub face: FaceCropConfig,
    /// The photo smaller than the crop, the rest in the mean colour.
    pub zoom_out: ZoomOutConfig,
    /// Turning in the picture plane.
    pub rotation: RotationConfig,
    /// Left and right swapped, with the scheme's own pairs.
    pub flip: FlipConfig,
    /// Wider and lower, or narrower and higher.
    pub stretch: StretchConfig,
    /// Each corner of the crop moves by itself.
    pub perspective: PerspectiveConfig,
    /// The chosen face seems to turn: one half compressed, the other widened.
    pub yaw: YawConfig,
    /// Brightness, contrast, saturation, hue.
    pub color: ColorConfig,
    /// Colour taken away.
    pub grey: GreyConfig,
    /// A Gaussian blur.
    pub blur: BlurConfig,
    /// JPEG artefacts.
    pub jpeg: JpegConfig,
    /// A rectangle painted over part of a face; its points are still to be found.
    pub erase: EraseConfig,
    /// An object over part of a face: a piece of the photo, fingers, a smooth patch.
    pub occlude: OccludeConfig,
    /// A crop of few pixels, enlarged again.
    pub low_res: LowResConfig,
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
        self.check_shares(check);
        let c = &self.crop;
        check.between("augment.crop.min_face", c.min_face, 1.0, 10_000.0);
        check.between("augment.crop.max_face", c.max_face, 0.05, 1.0);
        check.between("augment.crop.max_upscale", c.max_upscale, 0.1, 100.0);
        check.between("augment.crop.min_pixels", c.min_pixels, 0.0, c.min_face);
        check.between("augment.face.shift", self.face.shift, 0.0, 1.0);
        check.between("augment.face.scale", self.face.scale, 0.0, 1.0);
        check.between("augment.face.turn", self.face.turn, 0.0, 180.0);
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
        check.between(
            "augment.perspective.share",
            self.perspective.share,
            0.0,
            MAX_PERSPECTIVE,
        );
        check.between("augment.yaw.shift", self.yaw.shift, 0.0, YawWarp::MAX_SHIFT);
        check.between("augment.color.hue", self.color.hue, 0.0, 180.0);
        check.range("augment.blur.sigma", self.blur.sigma, 0.01, 50.0);
        check.range("augment.jpeg.quality", self.jpeg.quality, 1, 100);
        check.range("augment.erase.area", self.erase.area, 0.0, 1.0);
        check.range("augment.occlude.area", self.occlude.area, 0.0, 1.0);
        check.range("augment.low_res.side", self.low_res.side, 4, 4096);
    }

    /// Everything from 0 to 1.
    fn check_shares(&self, check: &mut Check) {
        let c = &self.crop;
        for (key, share) in [
            ("augment.crop.landmark_share", c.landmark_share),
            ("augment.crop.keep_visible", c.keep_visible),
            ("augment.crop.ignore_visible", c.ignore_visible),
            ("augment.zoom_out.probability", self.zoom_out.probability),
            ("augment.rotation.probability", self.rotation.probability),
            ("augment.flip.probability", self.flip.probability),
            ("augment.stretch.probability", self.stretch.probability),
            ("augment.stretch.max", self.stretch.max),
            (
                "augment.perspective.probability",
                self.perspective.probability,
            ),
            ("augment.yaw.probability", self.yaw.probability),
            ("augment.color.probability", self.color.probability),
            ("augment.color.brightness", self.color.brightness),
            ("augment.color.contrast", self.color.contrast),
            ("augment.color.saturation", self.color.saturation),
            ("augment.grey.probability", self.grey.probability),
            ("augment.blur.probability", self.blur.probability),
            ("augment.jpeg.probability", self.jpeg.probability),
            ("augment.erase.probability", self.erase.probability),
            ("augment.occlude.probability", self.occlude.probability),
            ("augment.low_res.probability", self.low_res.probability),
        ] {
            check.between(key, share, 0.0, 1.0);
        }
    }
}
