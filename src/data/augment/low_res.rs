//! A crop of few pixels, enlarged.

use anyhow::Result;
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::draw::{chance_if_on, log_uniform};
use crate::config::LowResConfig;
use crate::imaging;

/// Shrink to a random size and enlarge again. Never sharpens: a size above that of the crop
/// changes nothing.
///
/// # Errors
/// When the crop cannot be resized.
pub fn apply(image: &mut RgbImage, config: &LowResConfig, rng: &mut ChaCha8Rng) -> Result<()> {
    if !chance_if_on(rng, config.probability) {
        return Ok(());
    }
    let side = log_uniform(rng, config.side.map(|v| v as f32));
    *image = round_trip(image, side)?;
    Ok(())
}

/// Shrunk such that the longer side has `side` pixels, then enlarged to what it was.
fn round_trip(image: &RgbImage, side: f32) -> Result<RgbImage> {
    let size = [image.width(), image.height()];
    let scale = (side / size[0].max(size[1]) as f32).min(1.0);
    let small = imaging::resize(image, size.map(|v| (v as f32 * scale).round() as u32))?;
    Ok(imaging::resize(&small, size)?)
}
