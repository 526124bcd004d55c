//! Every kind of pixel to RGB8, within one buffer.

use image::ColorType;

use crate::error::{Error, Result, bail};

/// Convert what a decoder returned (samples in native byte order) to RGB8. Works inside `raw`, so
/// that a photo of 100 megapixels is never held twice. Transparent parts lie over white; floating
/// point samples are taken as 0..1.
///
/// # Errors
/// When the kind of pixel is unknown.
pub fn to_rgb8(raw: Vec<u8>, color: ColorType) -> Result<Vec<u8>> {
    let c16 = |p: &[u8], i: usize| narrow(u16::from_ne_bytes([p[2 * i], p[2 * i + 1]]));
    let c32 = |p: &[u8], i: usize| {
        let bytes = [p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3]];
        // A saturating cast: NaN becomes 0.
        (f32::from_ne_bytes(bytes) * 255.0).round() as u8
    };
    Ok(match color {
        ColorType::Rgb8 => raw,
        ColorType::L8 => convert::<1>(raw, |p| [p[0]; 3]),
        ColorType::La8 => convert::<2>(raw, |p| [over_white(p[0], p[1]); 3]),
        ColorType::Rgba8 => convert::<4>(raw, |p| blend([p[0], p[1], p[2]], p[3])),
        ColorType::L16 => convert::<2>(raw, |p| [c16(p, 0); 3]),
        ColorType::La16 => convert::<4>(raw, |p| [over_white(c16(p, 0), c16(p, 1)); 3]),
        ColorType::Rgb16 => convert::<6>(raw, |p| [0, 1, 2].map(|i| c16(p, i))),
        ColorType::Rgba16 => convert::<8>(raw, |p| blend([0, 1, 2].map(|i| c16(p, i)), c16(p, 3))),
        ColorType::Rgb32F => convert::<12>(raw, |p| [0, 1, 2].map(|i| c32(p, i))),
        ColorType::Rgba32F => {
            convert::<16>(raw, |p| blend([0, 1, 2].map(|i| c32(p, i)), c32(p, 3)))
        }
        other => bail!(
            Unsupported,
            "pixels of the kind {other:?} are not supported"
        ),
    })
}

/// Replace each pixel of `N` bytes by three bytes, in place.
pub fn convert<const N: usize>(mut raw: Vec<u8>, rgb: impl Fn(&[u8; N]) -> [u8; 3]) -> Vec<u8> {
    let count = raw.len() / N;
    let one = |raw: &mut [u8], i: usize| {
        let mut pixel = [0; N];
        pixel.copy_from_slice(&raw[i * N..(i + 1) * N]);
        raw[i * 3..i * 3 + 3].copy_from_slice(&rgb(&pixel));
    };
    if N < 3 {
        // Growing: from the back, so that nothing is overwritten before it is read.
        raw.resize(count * 3, 0);
        (0..count).rev().for_each(|i| one(&mut raw, i));
    } else {
        (0..count).for_each(|i| one(&mut raw, i));
        raw.truncate(count * 3);
        raw.shrink_to_fit();
    }
    raw
}

/// Sixteen bits to eight, rounded.
pub const fn narrow(v: u16) -> u8 {
    ((v as u32 + 128) / 257) as u8
}

const fn over_white(c: u8, alpha: u8) -> u8 {
    let (c, a) = (c as u32, alpha as u32);
    ((c * a + 255 * (255 - a) + 127) / 255) as u8
}

/// A colour over white; `alpha` 255 covers.
pub fn blend(rgb: [u8; 3], alpha: u8) -> [u8; 3] {
    rgb.map(|c| over_white(c, alpha))
}

/// Inks as Adobe stores them in JPEG files, 255 for none, to RGB8.
pub fn inverted_cmyk([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    [c, m, y].map(|ink| ((u32::from(ink) * u32::from(k) + 127) / 255) as u8)
}

/// A decoder's error in words that help.
pub fn explain(error: image::ImageError) -> Error {
    match error {
        image::ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::photo("the file is cut off")
        }
        e => Error::photo_because(&e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_converts_by_hand() {
        let u16s = |v: &[u16]| v.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        let f32s = |v: &[f32]| v.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        let check = |raw, color, want: &[u8]| assert_eq!(to_rgb8(raw, color).unwrap(), want);
        check(vec![7, 9], ColorType::L8, &[7, 7, 7, 9, 9, 9]);
        check(
            vec![7, 255, 9, 0],
            ColorType::La8,
            &[7, 7, 7, 255, 255, 255],
        );
        check(vec![0, 100, 255, 128], ColorType::Rgba8, &[127, 177, 255]);
        check(
            u16s(&[0x0101, 0xffff]),
            ColorType::L16,
            &[1, 1, 1, 255, 255, 255],
        );
        check(u16s(&[0, 0]), ColorType::La16, &[255; 3]);
        check(u16s(&[0, 257, 514]), ColorType::Rgb16, &[0, 1, 2]);
        check(u16s(&[0, 257, 514, 65535]), ColorType::Rgba16, &[0, 1, 2]);
        check(f32s(&[0.0, f32::NAN, 7.0]), ColorType::Rgb32F, &[0, 0, 255]);
        check(
            f32s(&[0.5, 1.0, -1.0, 1.0]),
            ColorType::Rgba32F,
            &[128, 255, 0],
        );
    }
}
