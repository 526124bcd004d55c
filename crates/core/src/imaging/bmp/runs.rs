//! Run-length codes of BMP.

use crate::error::{Result, ensure};

/// Unpack to one byte for each pixel, rows in the order of the file; pixels that are jumped over
/// keep colour 0. What a run has beyond its row is lost.
///
/// # Errors
/// When the data end before the picture does.
pub fn unpack(data: &[u8], [w, h]: [u32; 2], bits: usize) -> Result<Vec<u8>> {
    let (w, h) = (w as usize, h as usize);
    // Two bytes code 255 pixels at most; twice that leaves room to jump over some.
    ensure!(
        w * h <= 255 * (data.len() + 1),
        Photo,
        "{} bytes are too few for {w} x {h} pixels",
        data.len()
    );
    let mut canvas = Canvas {
        pixels: vec![0; w * h],
        width: w,
        at: [0, 0],
    };
    let mut rest = data;
    while let Some((&[count, value], after)) = rest.split_first_chunk() {
        rest = after;
        match (count, value) {
            (0, 0) => canvas.at = [0, canvas.at[1] + 1],
            (0, 1) => return Ok(canvas.pixels),
            (0, 2) => {
                let Some((&[right, up], after)) = rest.split_first_chunk() else {
                    break;
                };
                rest = after;
                canvas.at[0] += usize::from(right);
                canvas.at[1] += usize::from(up);
            }
            (0, count) => {
                let count = usize::from(count);
                let bytes = (count * bits).div_ceil(8);
                let Some(literal) = rest.get(..bytes) else {
                    break;
                };
                (0..count).for_each(|i| canvas.put(index(literal, i, bits)));
                // Padded to two bytes.
                rest = rest.get(bytes.next_multiple_of(2)..).unwrap_or_default();
            }
            (count, value) => {
                let pair = [value; 2];
                (0..usize::from(count)).for_each(|i| canvas.put(index(&pair, i % 2, bits)));
            }
        }
        if canvas.at[1] >= h {
            return Ok(canvas.pixels);
        }
    }
    ensure!(canvas.at == [w, h - 1], Photo, "the file is cut off");
    Ok(canvas.pixels)
}

/// Pixel `i` of packed ones.
fn index(packed: &[u8], i: usize, bits: usize) -> u8 {
    match bits {
        4 if i.is_multiple_of(2) => packed[i / 2] >> 4,
        4 => packed[i / 2] & 15,
        _ => packed[i],
    }
}

struct Canvas {
    pixels: Vec<u8>,
    width: usize,
    /// Column and row of the next pixel.
    at: [usize; 2],
}

impl Canvas {
    fn put(&mut self, index: u8) {
        let [x, y] = self.at;
        if x < self.width {
            if let Some(pixel) = self.pixels.get_mut(y * self.width + x) {
                *pixel = index;
            }
            self.at[0] += 1;
        }
    }
}
