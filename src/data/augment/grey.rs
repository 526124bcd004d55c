//! Colour taken away.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::color::LUMA;
use super::draw::chance;
use crate::config::GreyConfig;

/// Replace each pixel by its brightness.
pub fn apply(image: &mut RgbImage, config: &GreyConfig, rng: &mut ChaCha8Rng) {
    if !chance(rng, config.probability) {
        return;
    }
    for pixel in image.pixels_mut() {
        let luma: f32 = (0..3).map(|c| LUMA[c] * f32::from(pixel.0[c])).sum();
        pixel.0 = [luma.round() as u8; 3];
    }
}
