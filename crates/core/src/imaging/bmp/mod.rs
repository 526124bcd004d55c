//! BMP of Windows and OS/2: every header, depth and run-length code, upside down or not.

mod header;
mod runs;

use image::RgbImage;

use self::header::{Header, Mask};
use super::decode::{Decoded, Probed};
use super::limits::Limits;
use super::pixels::blend;
use crate::error::{Error, Result};

pub use self::header::is_headless;

/// Size.
///
/// # Errors
/// When the header is broken, cut off or of an unknown kind.
pub fn probe(bytes: &[u8]) -> Result<Probed> {
    Ok((Header::read(bytes)?.size, None))
}

/// Pixels.
///
/// # Errors
/// When the file is broken, cut off, of an unknown kind, or larger than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let header = Header::read(bytes)?;
    limits.check(header.size)?;
    let [w, h] = header.size;
    let data = bytes
        .get(header.data..)
        .ok_or_else(|| Error::photo("the file is cut off"))?;
    let unpacked;
    let (data, bits) = if header.runs {
        unpacked = runs::unpack(data, header.size, header.bits)?;
        (&unpacked[..], 8)
    } else {
        (data, header.bits)
    };
    // Rows are padded to four bytes, but those of the run-length codes.
    let row_bytes = (w as usize * bits).div_ceil(8);
    let stride = if header.runs {
        row_bytes
    } else {
        row_bytes.next_multiple_of(4)
    };
    // The padding of the last row is sometimes missing.
    let needed = stride * (h as usize - 1) + row_bytes;
    let data = data
        .get(..needed)
        .ok_or_else(|| Error::photo("the file is cut off"))?;
    let pixel = pixel_reader(&header, data, bits);
    let mut rgb = RgbImage::new(w, h);
    for (y, row) in rgb.chunks_exact_mut(3 * w as usize).enumerate() {
        let stored = if header.top_down {
            y
        } else {
            h as usize - 1 - y
        };
        let source = &data[stored * stride..stored * stride + row_bytes];
        for (x, target) in row.as_chunks_mut().0.iter_mut().enumerate() {
            *target = pixel(source, x);
        }
    }
    Ok((rgb, None))
}

/// The colour of a pixel in a row.
type PixelReader<'a> = Box<dyn Fn(&[u8], usize) -> [u8; 3] + 'a>;

/// How pixels of this file are read; `data` are all of them.
fn pixel_reader<'a>(header: &'a Header, data: &[u8], bits: usize) -> PixelReader<'a> {
    let palette = &header.palette;
    let colour = |index: u8| palette.get(usize::from(index)).copied().unwrap_or_default();
    match bits {
        1 | 2 | 4 => Box::new(move |row, x| {
            let shift = 8 - bits - x * bits % 8;
            colour(row[x * bits / 8] >> shift & ((1 << bits) - 1))
        }),
        8 => Box::new(move |row, x| colour(row[x])),
        24 => Box::new(|row, x| [row[3 * x + 2], row[3 * x + 1], row[3 * x]]),
        _ => {
            let bytes = bits / 8;
            let value = move |row: &[u8], x: usize| {
                row[x * bytes..(x + 1) * bytes]
                    .iter()
                    .rev()
                    .fold(0, |v, &b| v << 8 | u32::from(b))
            };
            let [red, green, blue, alpha] = header.masks.map(Mask::new);
            // Programs that know no alpha leave it at zero; Windows shows such a picture whole.
            let clear = data.chunks_exact(bytes).all(|p| alpha.of(value(p, 0)) == 0);
            Box::new(move |row, x| {
                let value = value(row, x);
                let rgb = [red, green, blue].map(|mask| mask.of(value));
                if clear {
                    rgb
                } else {
                    blend(rgb, alpha.of(value))
                }
            })
        }
    }
}
