//! Lossless JPEG (SOF3), as scanners and cameras write it.

use image::{ColorType, RgbImage};
use jpeg_decoder::{ColorTransform, Decoder};

use super::headers::Headers;
use crate::error::{Error, Result, ensure};
use crate::imaging::pixels::to_rgb8;

/// Decode a lossless file.
///
/// # Errors
/// When it is damaged or cut off, or of a kind that the decoder gets wrong without a word: restart
/// markers, a point transform, more than eight bits, subsampling, four components.
pub fn decode(bytes: &[u8], headers: &Headers) -> Result<RgbImage> {
    let frame = &headers.frame;
    let plain = frame.precision == 8
        && matches!(frame.components.len(), 1 | 3)
        && frame.components.iter().all(|c| c.sampling == [1, 1])
        && headers.scans.iter().all(|scan| scan.low_bit == 0)
        && !headers.restarts;
    ensure!(
        plain,
        Unsupported,
        "lossless JPEG of this kind is not supported"
    );
    let mut decoder = Decoder::new(bytes);
    if frame.components.len() == 3 {
        // As libjpeg decides it.
        let luma_first = headers.jfif || headers.adobe == Some(1);
        decoder.set_color_transform(if luma_first {
            ColorTransform::YCbCr
        } else {
            ColorTransform::RGB
        });
    }
    let raw = decoder.decode().map_err(|e| Error::photo_because(&e))?;
    let color = if frame.components.len() == 3 {
        ColorType::Rgb8
    } else {
        ColorType::L8
    };
    let [w, h] = frame.size;
    RgbImage::from_raw(w, h, to_rgb8(raw, color)?).ok_or_else(|| Error::photo("pixels are missing"))
}
