//! What samples mean: to RGB.

use super::directory::Directory;
use super::layout::Layout;
use crate::error::{Result, bail, ensure};
use crate::imaging::pixels::{blend, convert};

/// Convert pixels of `count` samples of eight bits, stored as `layout` says, to RGB8.
///
/// # Errors
/// When the photometric interpretation is not supported, or does not fit the samples.
pub fn to_rgb(
    samples: Vec<u8>,
    count: usize,
    layout: &Layout,
    page: &Directory<'_>,
) -> Result<Vec<u8>> {
    let photometric = layout.photometric;
    let extra = layout.extra;
    let grey = |v: u8| [if photometric == 0 { 255 - v } else { v }; 3];
    let over = |rgb: [u8; 3], alpha: u8| match extra {
        // Multiplied by alpha already.
        Some(1) => rgb.map(|c| c.saturating_add(255 - alpha)),
        Some(2) | None => blend(rgb, alpha),
        _ => rgb,
    };
    Ok(match (photometric, count) {
        (0 | 1, 1) => convert::<1>(samples, |p| grey(p[0])),
        (0 | 1, 2) => convert::<2>(samples, |p| over(grey(p[0]), p[1])),
        (2, 3) => samples,
        (2, 4) => convert::<4>(samples, |&[r, g, b, a]| over([r, g, b], a)),
        (3, 1) => {
            let palette = palette(page);
            convert::<1>(samples, |p| {
                palette.get(usize::from(p[0])).copied().unwrap_or_default()
            })
        }
        (5, 4) => convert::<4>(samples, |&[c, m, y, k]| cmyk([c, m, y, k])),
        (6, 3) => convert::<3>(samples, |p| ycbcr(*p)),
        (8, 3) => convert::<3>(samples, |&[l, a, b]| {
            lab(l, [a, b].map(|v| f32::from(v.cast_signed())))
        }),
        (9, 3) => convert::<3>(samples, |&[l, a, b]| {
            lab(l, [a, b].map(|v| f32::from(v) - 128.0))
        }),
        (other, count) => bail!(
            Unsupported,
            "TIFF of the photometric kind {other} with {count} samples a pixel is not supported"
        ),
    })
}

/// Samples of a pixel that [`to_rgb`] wants, of those that there are.
///
/// # Errors
/// When there are too few.
pub fn samples_wanted(layout: &Layout) -> Result<usize> {
    let colours = match layout.photometric {
        0 | 1 | 3 => 1,
        5 => 4,
        _ => 3,
    };
    ensure!(
        layout.samples >= colours,
        Photo,
        "{} samples a pixel are too few",
        layout.samples
    );
    let alpha = matches!(layout.photometric, 0..=2) && layout.samples > colours;
    Ok(colours + usize::from(alpha))
}

/// All reds, all greens, all blues, sixteen bits each.
fn palette(page: &Directory<'_>) -> Vec<[u8; 3]> {
    let values = page.numbers(320);
    let count = values.len() / 3;
    // Some programs write eight bits.
    let shift = if values.iter().all(|&v| v < 256) {
        0
    } else {
        8
    };
    (0..count)
        .map(|i| [0, 1, 2].map(|c| (values[c * count + i] >> shift) as u8))
        .collect()
}

fn cmyk([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    crate::imaging::pixels::inverted_cmyk([255 - c, 255 - m, 255 - y, 255 - k])
}

/// ITU-R 601, as JPEG.
fn ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = [f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0];
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| v.round() as u8)
}

/// CIE L*a*b* (white of D50) to sRGB.
fn lab(l: u8, [a, b]: [f32; 2]) -> [u8; 3] {
    let fy = (f32::from(l) * 100.0 / 255.0 + 16.0) / 116.0;
    let cube = |t: f32| {
        if t > 6.0 / 29.0 {
            t * t * t
        } else {
            (t - 4.0 / 29.0) * 3.0 * (6.0f32 / 29.0).powi(2)
        }
    };
    let xyz = [
        0.964_22 * cube(fy + a / 500.0),
        cube(fy),
        0.825_21 * cube(fy - b / 200.0),
    ];
    // From D50 to linear sRGB (Bradford).
    const ROWS: [[f32; 3]; 3] = [
        [3.133_856, -1.616_867, -0.490_615],
        [-0.978_768, 1.916_141, 0.033_454],
        [0.071_945, -0.228_991, 1.405_243],
    ];
    ROWS.map(|row| {
        let linear: f32 = row.iter().zip(xyz).map(|(m, v)| m * v).sum();
        let v = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        (v * 255.0).round() as u8
    })
}
