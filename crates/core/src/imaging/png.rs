//! PNG, of an animation the default picture.

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{ColorType, RgbImage};
use png::{BitDepth, Decoder, InterlaceInfo, Reader, Transformations};

use super::decode::{Decoded, Probed};
use super::limits::{Limits, METADATA_BYTES};
use super::pixels;
use crate::error::{Error, Result, bail};

/// Size and orientation, if that stands before the picture.
///
/// # Errors
/// When the header is broken or cut off.
pub fn probe(bytes: &[u8]) -> Result<Probed> {
    let reader = open(bytes)?;
    Ok((reader.info().size().into(), orientation(&reader)))
}

/// Pixels and orientation. What follows the last row is not needed.
///
/// # Errors
/// When the file is broken, cut off, or larger than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let mut reader = open(bytes)?;
    let (w, h) = reader.info().size();
    limits.check([w, h])?;
    let (color, depth) = reader.output_color_type();
    let color = color_type(color, depth)?;
    let pixel = usize::from(color.bytes_per_pixel());
    let stride = w as usize * pixel;
    let mut raw = vec![0; stride * h as usize];
    let mut next = 0;
    while let Some(row) = reader.next_interlaced_row().map_err(explain)? {
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                let target = raw.get_mut(next * stride..(next + 1) * stride);
                let target = target.ok_or_else(|| Error::photo("too many rows"))?;
                target.copy_from_slice(row.data());
                next += 1;
            }
            InterlaceInfo::Adam7(pass) => {
                png::expand_interlaced_row(&mut raw, stride, row.data(), pass, 8 * pixel as u8);
            }
        }
    }
    if depth == BitDepth::Sixteen {
        for sample in raw.as_chunks_mut().0 {
            *sample = u16::from_be_bytes(*sample).to_ne_bytes();
        }
    }
    // The orientation may stand behind the picture.
    let _ = reader.finish();
    let rgb = pixels::to_rgb8(raw, color)?;
    let rgb = RgbImage::from_raw(w, h, rgb).ok_or_else(|| Error::photo("pixels are missing"))?;
    Ok((rgb, orientation(&reader)))
}

/// The last chunk.
const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

type Source<'a> = Cursor<Cow<'a, [u8]>>;

/// `bytes` with their last chunk, if they have lost it: the decoder keeps the last rows back until
/// it sees another chunk.
fn with_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut at = 8;
    while let Some((length, rest)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) {
        let next = at + 12 + u32::from_be_bytes(*length) as usize;
        if rest.starts_with(b"IEND") || next > bytes.len() {
            break;
        }
        at = next;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.len() >= END.len() || rest.get(4..8) == Some(b"IDAT") {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([&bytes[..at.min(bytes.len())], &END].concat())
}

fn open(bytes: &[u8]) -> Result<Reader<Source<'_>>> {
    let limits = png::Limits {
        bytes: usize::try_from(METADATA_BYTES).map_err(Error::photo)?,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(with_end(bytes)), limits);
    // Palettes to colours, a transparent colour to alpha, and eight bits at least.
    decoder.set_transformations(Transformations::EXPAND);
    decoder.read_info().map_err(explain)
}

fn orientation(reader: &Reader<Source<'_>>) -> Option<Orientation> {
    Orientation::from_exif_chunk(reader.info().exif_metadata.as_ref()?)
}

fn color_type(color: png::ColorType, depth: BitDepth) -> Result<ColorType> {
    Ok(match (color, depth) {
        (png::ColorType::Grayscale, BitDepth::Eight) => ColorType::L8,
        (png::ColorType::Grayscale, BitDepth::Sixteen) => ColorType::L16,
        (png::ColorType::GrayscaleAlpha, BitDepth::Eight) => ColorType::La8,
        (png::ColorType::GrayscaleAlpha, BitDepth::Sixteen) => ColorType::La16,
        (png::ColorType::Rgb, BitDepth::Eight) => ColorType::Rgb8,
        (png::ColorType::Rgb, BitDepth::Sixteen) => ColorType::Rgb16,
        (png::ColorType::Rgba, BitDepth::Eight) => ColorType::Rgba8,
        (png::ColorType::Rgba, BitDepth::Sixteen) => ColorType::Rgba16,
        (color, depth) => {
            bail!(
                Unsupported,
                "{color:?} with {depth:?} bits is not supported"
            );
        }
    })
}

/// A decoder's error in words that help.
fn explain(error: png::DecodingError) -> Error {
    match error {
        png::DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::photo("the file is cut off")
        }
        e => match e.to_string() {
            text if text.starts_with("CRC error") => Error::photo("damaged (a checksum is wrong)"),
            text => Error::photo(text),
        },
    }
}
