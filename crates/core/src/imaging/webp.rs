//! WebP: lossy, lossless, of an animation the first frame.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ImageDecoder, RgbImage};

use super::decode::{Decoded, Probed};
use super::limits::Limits;
use super::pixels::{self, explain};
use crate::error::{Error, Result};

/// Size and orientation.
///
/// # Errors
/// When the header is broken or cut off.
pub fn probe(bytes: &[u8]) -> Result<Probed> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(explain)?;
    Ok((decoder.dimensions().into(), orientation(&mut decoder)))
}

/// Pixels and orientation.
///
/// # Errors
/// When the file is broken, cut off, or larger than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(explain)?;
    let (w, h) = decoder.dimensions();
    limits.check([w, h])?;
    let orientation = orientation(&mut decoder);
    let color = decoder.color_type();
    let mut raw = vec![0; usize::try_from(decoder.total_bytes()).map_err(Error::photo)?];
    decoder.read_image(&mut raw).map_err(explain)?;
    let rgb = pixels::to_rgb8(raw, color)?;
    let rgb = RgbImage::from_raw(w, h, rgb).ok_or_else(|| Error::photo("pixels are missing"))?;
    Ok((rgb, orientation))
}

fn orientation(decoder: &mut impl ImageDecoder) -> Option<Orientation> {
    // A photo with a broken EXIF block is still a photo.
    let exif = decoder.exif_metadata().ok()??;
    // Some programs write the name that the block has in JPEG files.
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif))
}
