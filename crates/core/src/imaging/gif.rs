//! GIF: the first frame, on its screen.

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use image::{Rgb, RgbImage};

use super::decode::{Decoded, Probed};
use super::limits::Limits;
use crate::error::{Error, Result};

const WHITE: Rgb<u8> = Rgb([255; 3]);

/// Size of the screen, which grows with a frame that is larger.
///
/// # Errors
/// When the header is broken or cut off.
pub fn probe(bytes: &[u8]) -> Result<Probed> {
    let mut decoder = open(bytes)?;
    Ok((size(&mut decoder)?, None))
}

/// Pixels; what the frame does not cover is transparent or, in a frame without a transparent
/// colour, of colour 0, as other programs show it.
///
/// # Errors
/// When the file is broken, cut off, or larger than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let mut decoder = open(bytes)?;
    let [w, h] = size(&mut decoder)?;
    limits.check([w, h])?;
    let mut indices = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indices).map_err(explain)?;
    let palette = decoder.palette().map_err(explain)?.as_chunks().0;
    let frame = decoder
        .current_frame_info()
        .ok_or_else(|| Error::photo("no frame"))?;
    let background = match (frame.transparent, palette.first()) {
        (None, Some(&first)) => Rgb(first),
        _ => WHITE,
    };
    let mut rgb = RgbImage::from_pixel(w, h, background);
    let rows = indices.chunks_exact(usize::from(frame.width).max(1));
    for (y, row) in (u32::from(frame.top)..).zip(rows) {
        for (x, &index) in (u32::from(frame.left)..).zip(row) {
            let colour = palette.get(usize::from(index)).copied();
            let colour = Rgb(colour.unwrap_or_default());
            let covers = frame.transparent != Some(index);
            rgb.put_pixel(x, y, if covers { colour } else { WHITE });
        }
    }
    Ok((rgb, None))
}

fn open(bytes: &[u8]) -> Result<Decoder<&[u8]>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.allow_unknown_blocks(true);
    // The size is checked before anything is allocated.
    options.set_memory_limit(MemoryLimit::Unlimited);
    options.read_info(bytes).map_err(explain)
}

/// Read the header of the first frame.
fn size(decoder: &mut Decoder<&[u8]>) -> Result<[u32; 2]> {
    let screen = [decoder.width(), decoder.height()].map(u32::from);
    let frame = decoder.next_frame_info().map_err(explain)?;
    let frame = frame.ok_or_else(|| Error::photo("there is no picture in it"))?;
    let right = u32::from(frame.left) + u32::from(frame.width);
    let bottom = u32::from(frame.top) + u32::from(frame.height);
    Ok([screen[0].max(right), screen[1].max(bottom)])
}

/// A decoder's error in words that help.
fn explain(error: DecodingError) -> Error {
    match error {
        DecodingError::UnexpectedEof => Error::photo("the file is cut off"),
        e => Error::photo(e),
    }
}
