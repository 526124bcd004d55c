//! The crop of one face, as the detector's coarse points would give it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::crop::View;
use crate::config::FaceCropConfig;
use crate::data::FaceLabel;
use crate::geometry::{FaceCrop, Scheme};

/// Errors beyond this many standard deviations are cut off.
const FARTHEST: f32 = 3.0;

/// A view of `side` pixels of the upright square around the landmarks of `face`, which it exceeds
/// by `context`; shifted, scaled and turned at random, and by `angle` radians. `None` for a face
/// whose landmarks have no extent.
pub fn choose(
    config: &FaceCropConfig,
    (scheme, context): (&Scheme, f32),
    face: &FaceLabel,
    side: f32,
    angle: f32,
    rng: &mut ChaCha8Rng,
) -> Option<View> {
    let mut crop = FaceCrop::around(&face.landmarks, scheme, context)?;
    let face_side = crop.side / context;
    let mut error = |deviation: f32| -> f32 {
        let normal: f32 = rng.sample(StandardNormal);
        normal.clamp(-FARTHEST, FARTHEST) * deviation
    };
    crop.centre[0] += error(config.shift) * face_side;
    crop.centre[1] += error(config.shift) * face_side;
    crop.side *= error(config.scale).exp();
    crop.angle += angle + error(config.turn).to_radians();
    Some(View {
        map: crop.to_crop(side),
        face: face.landmarks.bounds(),
    })
}
