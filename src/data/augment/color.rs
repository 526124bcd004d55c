//! Brightness, contrast, saturation and hue.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::draw::{chance, uniform};
use crate::config::{ColorConfig, LUMA};

/// Change all four at once, with one matrix a pixel.
pub fn jitter(image: &mut RgbImage, config: &ColorConfig, rng: &mut ChaCha8Rng) {
    if !chance(rng, config.probability) {
        return;
    }
    let mut factor = |range: f32| uniform(rng, [1.0 - range, 1.0 + range]);
    let brightness = factor(config.brightness);
    let contrast = factor(config.contrast);
    let saturation = factor(config.saturation);
    let hue = uniform(rng, [-config.hue, config.hue]).to_radians();
    let offset = brightness * (1.0 - contrast) * mean_luma(image);
    let matrix = hue_saturation(hue, saturation).map(|row| row.map(|v| v * brightness * contrast));
    for pixel in image.pixels_mut() {
        let [r, g, b] = pixel.0.map(f32::from);
        pixel.0 = matrix.map(|m| (m[0] * r + m[1] * g + m[2] * b + offset).round() as u8);
    }
}

/// Turns colours about the grey axis by `hue` radians and scales their distance from it. Keeps
/// the brightness. (Rotation of the chrominance plane of YIQ, written for RGB.)
fn hue_saturation(hue: f32, saturation: f32) -> [[f32; 3]; 3] {
    // Rows of RGB -> YIQ, and YIQ -> RGB.
    const I: [f32; 3] = [0.595_716, -0.274_453, -0.321_263];
    const Q: [f32; 3] = [0.211_456, -0.522_591, 0.311_135];
    const BACK: [[f32; 2]; 3] = [
        [0.956_296, 0.621_024],
        [-0.272_122, -0.647_381],
        [-1.106_989, 1.704_615],
    ];
    let (sin, cos) = (hue.sin() * saturation, hue.cos() * saturation);
    BACK.map(|[from_i, from_q]| {
        std::array::from_fn(|c| {
            let i = cos * I[c] - sin * Q[c];
            let q = sin * I[c] + cos * Q[c];
            LUMA[c] + from_i * i + from_q * q
        })
    })
}

fn mean_luma(image: &RgbImage) -> f32 {
    let mut sum = [0u64; 3];
    for pixel in image.pixels() {
        for (sum, &v) in sum.iter_mut().zip(&pixel.0) {
            *sum += u64::from(v);
        }
    }
    let count = (image.width() * image.height()).max(1) as f32;
    (0..3).map(|c| LUMA[c] * sum[c] as f32 / count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_turn_is_the_identity_and_grey_stays_grey() {
        let identity = hue_saturation(0.0, 1.0);
        for (r, row) in identity.iter().enumerate() {
            for (c, v) in row.iter().enumerate() {
                assert!(
                    (v - f32::from(u8::from(r == c))).abs() < 1e-3,
                    "{identity:?}"
                );
            }
        }
        for row in hue_saturation(1.0, 1.7) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        }
        for row in hue_saturation(0.4, 0.0) {
            assert_eq!(row, LUMA);
        }
    }
}
