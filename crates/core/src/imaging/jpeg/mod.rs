//! JPEG: which decoder reads a file, and whether the file is all there.
//!
//! Plain files go to a fast decoder. It gets some rarer kinds wrong without a word, so those, and
//! all that it refuses, go to libjpeg, which reads what other programs read. Lossless files are for
//! a third one.

mod headers;
#[allow(unsafe_code, reason = "calls C")]
mod libjpeg;
mod lossless;
mod plain;

use image::RgbImage;
use image::metadata::Orientation;

use self::headers::Headers;
use super::decode::{Decoded, Probed};
use super::limits::Limits;
use super::pixels::{convert, inverted_cmyk};
use crate::error::{Error, Result, bail, ensure};

pub use self::libjpeg::{Samples, Stored};

/// Width and height as stored, and how the picture is turned.
///
/// # Errors
/// When the headers are broken or cut off.
pub fn probe(bytes: &[u8]) -> Result<Probed> {
    let headers = Headers::read(bytes)?;
    Ok((headers.frame.size, orientation(&headers, bytes)))
}

/// The pixels as stored, and how the picture is turned.
///
/// # Errors
/// When the file is broken, cut off, of an unknown kind, or larger than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let headers = Headers::read(bytes)?;
    let pixels = limits.check(headers.frame.size)?;
    let most = (bytes.len() as u64).saturating_mul(most_pixels_a_byte(headers.frame.process));
    ensure!(
        pixels <= most,
        Photo,
        "{} bytes are too few for {pixels} pixels",
        bytes.len()
    );
    Ok((rgb(bytes, &headers)?, orientation(&headers, bytes)))
}

/// What a byte can stand for, so that a header that lies costs no memory. Huffman codes have at
/// least a bit for each sample (lossless) or each block of 64 of the finest component, which may be
/// four times coarser than the picture; arithmetic codes have less.
const fn most_pixels_a_byte(process: u8) -> u64 {
    match process {
        0xc3 => 8,
        0xc0..=0xc2 => 8 * 64 * 4,
        _ => 8 * 64 * 4 * 16,
    }
}

fn orientation(headers: &Headers, bytes: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(bytes.get(headers.exif.clone()?)?)
}

fn rgb(bytes: &[u8], headers: &Headers) -> Result<RgbImage> {
    let frame = &headers.frame;
    ensure!(
        headers.end.is_some() || headers.scans_are_complete(),
        Photo,
        "the file is cut off (no end marker, and scans are missing)"
    );
    match frame.process {
        0xc3 => return lossless::decode(bytes, headers),
        0xc0..=0xc2 | 0xc9 | 0xca => {}
        other => bail!(
            Unsupported,
            "JPEG of the kind SOF{} is not supported",
            other & 15
        ),
    }
    ensure!(
        frame.precision == 8,
        Unsupported,
        "JPEG with {} bits a sample is not supported",
        frame.precision
    );
    let components = frame.components.len();
    ensure!(
        matches!(components, 1 | 3 | 4),
        Unsupported,
        "JPEG with {components} components is not supported"
    );
    if let Some(data) = plain::data(bytes, headers)
        && let Ok(rgb) = plain::decode(data, frame.size)
    {
        return Ok(rgb);
    }
    let Samples {
        size: [w, h],
        samples,
        cut_off,
        ..
    } = libjpeg::decode(bytes, frame.size, Stored::AsMarked)?;
    ensure!(
        headers.end.is_some() || !cut_off,
        Photo,
        "the file is cut off (no end marker, and pixels are missing)"
    );
    let rgb = if components == 4 {
        convert::<4>(samples, |&inks| inverted_cmyk(inks))
    } else {
        samples
    };
    RgbImage::from_raw(w, h, rgb).ok_or_else(|| Error::photo("pixels are missing"))
}

/// A part of a picture in another format; what its components are is known there.
///
/// # Errors
/// When it is broken, or larger than `most`.
pub fn decode_part(bytes: &[u8], most: [u32; 2], stored: Stored) -> Result<Samples> {
    libjpeg::decode(bytes, most, stored)
}
