//! Lossless JPEG (SOF3), as scanners and cameras write it.

use anyhow::{Context, Result, bail, ensure};
use image::{ColorType, RgbImage};
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::headers::Headers;
use crate::imaging::pixels::to_rgb8;

/// Decode a lossless file.
///
/// # Errors
/// When it is damaged or cut off, or has another number of components than one or three.
pub fn decode(bytes: &[u8], headers: &Headers) -> Result<RgbImage> {
    let mut decoder = Decoder::new(bytes);
    if headers.frame.components.len() == 3 {
        // As libjpeg decides it.
        let luma_first = headers.jfif || headers.adobe == Some(1);
        decoder.set_color_transform(if luma_first {
            ColorTransform::YCbCr
        } else {
            ColorTransform::RGB
        });
    }
    let raw = decoder.decode()?;
    let info = decoder.info().context("no header")?;
    let color = match info.pixel_format {
        PixelFormat::L8 => ColorType::L8,
        PixelFormat::L16 => ColorType::L16,
        PixelFormat::RGB24 => ColorType::Rgb8,
        PixelFormat::CMYK32 => bail!("lossless CMYK is not supported"),
    };
    let [w, h] = headers.frame.size;
    ensure!(
        [u32::from(info.width), info.height.into()] == [w, h],
        "two frame headers"
    );
    RgbImage::from_raw(w, h, to_rgb8(raw, color)?).context("pixels are missing")
}
