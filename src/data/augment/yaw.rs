//! A head that seems to turn to the side.

use rand_chacha::ChaCha8Rng;

use super::draw::{chance_if_on, uniform};
use crate::config::YawConfig;
use crate::geometry::{BoxXyxy, YawWarp};

/// Half the width of what moves, in widths of the face: all of it and some air.
const HALF_WIDTH: f32 = 0.7;

/// Turn `face` (pixels of the crop), the one that the crop is built around. Nothing is turned in
/// a crop without one.
pub fn draw(config: &YawConfig, face: Option<BoxXyxy>, rng: &mut ChaCha8Rng) -> Option<YawWarp> {
    if !chance_if_on(rng, config.probability) {
        return None;
    }
    let shift = uniform(rng, [-config.shift, config.shift]);
    let face = face?;
    YawWarp::new(face.centre()[0], HALF_WIDTH * face.width(), shift)
}
