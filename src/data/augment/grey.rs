//! Colour taken away.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::draw::chance;
use crate::config::{GreyConfig, luma};

/// Replace each pixel by its brightness.
pub fn apply(image: &mut RgbImage, config: &GreyConfig, rng: &mut ChaCha8Rng) {
    if !chance(rng, config.probability) {
        return;
    }
    for pixel in image.pixels_mut() {
        pixel.0 = [luma(pixel.0); 3];
    }
}
