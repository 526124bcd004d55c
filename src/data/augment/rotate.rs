//! Rotation in the picture plane.

use rand_chacha::ChaCha8Rng;

use super::draw::{chance, uniform};
use crate::config::RotationConfig;

/// An angle in radians, often zero.
pub fn angle(config: &RotationConfig, rng: &mut ChaCha8Rng) -> f32 {
    if !chance(rng, config.probability) {
        return 0.0;
    }
    uniform(rng, [-config.degrees, config.degrees]).to_radians()
}
