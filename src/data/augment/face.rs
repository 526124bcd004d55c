//! The crop of one face, as the detector's coarse points would give it, or the points of aligners
//! before the one that is trained.

use anyhow::Result;
use image::RgbImage;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::crop::View;
use crate::config::FaceCropConfig;
use crate::data::{Before, FaceLabel};
use crate::geometry::{FaceCrop, Scheme};

/// Errors beyond this many standard deviations are cut off.
const FARTHEST: f32 = 3.0;

/// How wrong a crop is.
#[derive(Clone, Copy)]
struct Wrong {
    /// In longer sides of the face.
    shift: [f32; 2],
    /// Of the side.
    factor: f32,
    /// Radians.
    turn: f32,
}

impl Wrong {
    fn draw(config: &FaceCropConfig, rng: &mut ChaCha8Rng) -> Self {
        let mut error = |deviation: f32| -> f32 {
            let normal: f32 = rng.sample(StandardNormal);
            normal.clamp(-FARTHEST, FARTHEST) * deviation
        };
        Self {
            shift: [error(config.shift), error(config.shift)],
            factor: error(config.scale).exp(),
            turn: error(config.turn).to_radians(),
        }
    }

    /// The same error of a crop around a face whose longer side has `face` pixels.
    fn of(self, mut crop: FaceCrop, face: f32) -> FaceCrop {
        crop.centre[0] += self.shift[0] * face;
        crop.centre[1] += self.shift[1] * face;
        crop.side *= self.factor;
        crop.angle += self.turn;
        crop
    }
}

/// A view of `side` pixels of the upright square around the landmarks of `face`, which it exceeds
/// by `context`; shifted, scaled and turned at random, and by `angle` radians. With aligners
/// `before`, the first one's crop of the photo is that wrong, and the square is the one that they
/// find. `None` for a face whose landmarks have no extent.
///
/// # Errors
/// When an aligner cannot look.
pub fn choose(
    config: &FaceCropConfig,
    (scheme, context): (&Scheme, f32),
    before: Option<(&Before, &RgbImage)>,
    face: &FaceLabel,
    [side, angle]: [f32; 2],
    rng: &mut ChaCha8Rng,
) -> Result<Option<View>> {
    let Some(right) = FaceCrop::around(&face.landmarks, scheme, context) else {
        return Ok(None);
    };
    let wrong = Wrong::draw(config, rng);
    let longer = right.side / context;
    let found = match before {
        Some((before, photo)) => {
            before.find(photo, (face, scheme), &right, |crop| wrong.of(crop, longer))?
        }
        None => None,
    };
    let turn = angle + wrong.turn;
    let crop = match found {
        Some(crop) => FaceCrop {
            angle: crop.angle + angle,
            ..crop
        },
        None => Wrong { turn, ..wrong }.of(right, longer),
    };
    Ok(Some(View {
        map: crop.to_crop(side),
        face: face.landmarks.bounds(),
    }))
}
