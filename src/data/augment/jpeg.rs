//! JPEG artefacts.

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage, load_from_memory_with_format};
use rand_chacha::ChaCha8Rng;

use super::draw::{chance, uniform};
use crate::config::JpegConfig;

/// Compress at a random quality and decompress.
///
/// # Errors
/// When that fails.
pub fn apply(image: &mut RgbImage, config: &JpegConfig, rng: &mut ChaCha8Rng) -> Result<()> {
    if !chance(rng, config.probability) {
        return Ok(());
    }
    let quality = uniform(rng, config.quality.map(f32::from)).round() as u8;
    *image = round_trip(image, quality).context("cannot compress the crop")?;
    Ok(())
}

fn round_trip(image: &RgbImage, quality: u8) -> image::ImageResult<RgbImage> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image)?;
    Ok(load_from_memory_with_format(&bytes, ImageFormat::Jpeg)?.into_rgb8())
}
