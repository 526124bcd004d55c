//! Rotation in the picture plane.

use rand_chacha::ChaCha8Rng;

use super::draw::{chance, uniform};
use crate::config::RotationConfig;
use crate::geometry::{Affine, BoxXyxy};

/// An angle in radians, often zero.
pub fn angle(config: &RotationConfig, rng: &mut ChaCha8Rng) -> f32 {
    if !chance(rng, config.probability) {
        return 0.0;
    }
    uniform(rng, [-config.degrees, config.degrees]).to_radians()
}

/// The box after `map`: the bounds of the ellipse that fills the box. A head fills its box about
/// so; the bounds of the turned box would grow by up to 41 %, and with them the learnt boxes.
/// Without rotation both are the same.
pub fn map_box(b: &BoxXyxy, map: &Affine) -> BoxXyxy {
    let [cx, cy, w, h] = b.cxcywh();
    let [cx, cy] = map.apply([cx, cy]);
    let side = |row: [f32; 3]| (row[0] * w).hypot(row[1] * h);
    BoxXyxy::from_cxcywh([cx, cy, side(map.row_x), side(map.row_y)])
}
