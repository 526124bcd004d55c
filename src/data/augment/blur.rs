//! Gaussian blur.

use image::RgbImage;
use imageproc::filter::gaussian_blur_f32;
use rand_chacha::ChaCha8Rng;

use super::draw::{chance, uniform};
use crate::config::BlurConfig;

/// Blur with a random standard deviation.
pub fn apply(image: &mut RgbImage, config: &BlurConfig, rng: &mut ChaCha8Rng) {
    if !chance(rng, config.probability) {
        return;
    }
    let sigma = uniform(rng, config.sigma);
    // The filter panics at zero.
    if sigma > 0.0 {
        *image = gaussian_blur_f32(image, sigma);
    }
}
