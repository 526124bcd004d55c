//! Width and height scaled against each other.

use rand_chacha::ChaCha8Rng;

use super::draw::{chance_if_on, uniform};
use crate::config::StretchConfig;
use crate::geometry::Affine;

/// A map of a crop of `side` pixels about its middle that keeps areas: as much wider as it is
/// lower, or the other way round.
pub fn draw(config: &StretchConfig, side: f32, rng: &mut ChaCha8Rng) -> Option<Affine> {
    if !chance_if_on(rng, config.probability) {
        return None;
    }
    let most = config.max.ln_1p();
    let factor = uniform(rng, [-most, most]).exp();
    let about_middle = |scale: f32| (scale, side * 0.5 * (1.0 - scale));
    let (sx, tx) = about_middle(factor);
    let (sy, ty) = about_middle(factor.recip());
    Some(Affine {
        row_x: [sx, 0.0, tx],
        row_y: [0.0, sy, ty],
    })
}
