//! The everyday kinds of JPEG, by the fast decoder.

use image::RgbImage;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::headers::{Component, Headers};
use crate::error::{Error, Result};

/// The part of a plain file that [`decode`] gets right: sequential, eight bits, all components in
/// one scan, grey or luma and two chromas of usual sampling, no restart markers.
///
/// The end marker is left out: behind it the decoder takes missing data for zeros, without a word.
pub fn data<'a>(bytes: &'a [u8], headers: &Headers) -> Option<&'a [u8]> {
    let frame = &headers.frame;
    let sampling = |c: &Component| c.sampling;
    let usual = match &frame.components[..] {
        [grey] => sampling(grey) == [1, 1],
        [luma, chromas @ ..] if chromas.len() == 2 => {
            sampling(luma).iter().all(|f| (1..=2).contains(f))
                && chromas.iter().all(|c| sampling(c) == [1, 1])
                && is_ycbcr(headers)
        }
        _ => false,
    };
    let sequential = matches!(frame.process, 0xc0 | 0xc1) && frame.precision == 8;
    let one_scan =
        matches!(&headers.scans[..], [scan] if scan.components.len() == frame.components.len());
    let plain = usual && sequential && one_scan && !headers.restarts;
    plain.then_some(bytes.get(..headers.end?)).flatten()
}

/// As libjpeg decides it.
fn is_ycbcr(headers: &Headers) -> bool {
    let ids = headers.frame.components.iter().map(|c| c.id);
    headers.jfif || headers.adobe == Some(1) || headers.adobe.is_none() && ids.eq(1..=3)
}

/// Decode a plain file.
///
/// # Errors
/// At any damage: what can be made of such a file is for the other decoder to say.
pub fn decode(bytes: &[u8], size: [u32; 2]) -> Result<RgbImage> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let mut rgb = RgbImage::new(size[0], size[1]);
    decoder.decode_into(&mut rgb).map_err(Error::photo)?;
    Ok(rgb)
}
