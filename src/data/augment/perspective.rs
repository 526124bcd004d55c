//! Perspective: the camera stands elsewhere.

use rand_chacha::ChaCha8Rng;

use super::draw::{chance_if_on, uniform};
use crate::config::PerspectiveConfig;
use crate::geometry::Homography;

/// Move each corner of a crop of `side` pixels along both axes.
pub fn draw(config: &PerspectiveConfig, side: f32, rng: &mut ChaCha8Rng) -> Option<Homography> {
    if !chance_if_on(rng, config.probability) {
        return None;
    }
    let reach = config.share * side;
    let corners = [[0.0, 0.0], [side, 0.0], [side, side], [0.0, side]];
    let moved = corners.map(|p| p.map(|v| v + uniform(rng, [-reach, reach])));
    Homography::from_corners([side; 2], moved)
}
