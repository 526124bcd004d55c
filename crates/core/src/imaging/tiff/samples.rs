//! Bytes of a chunk to samples of eight bits.

use super::layout::{Layout, Number};
use crate::error::{Result, bail, ensure};
use crate::imaging::pixels::narrow;

/// Undo the differences in a row.
///
/// # Errors
/// When the kind is unknown or does not fit the samples.
pub fn undo_differences(row: &mut [u8], layout: &Layout) -> Result<()> {
    let step = layout.chunk_samples();
    match (layout.predictor, layout.bits) {
        (0 | 1, _) => {}
        (2, 8) => sum::<1>(row, step, |[a], [b]| [a.wrapping_add(b)]),
        (2, 16) if layout.big_endian => sum::<2>(row, step, |a, b| {
            u16::from_be_bytes(a)
                .wrapping_add(u16::from_be_bytes(b))
                .to_be_bytes()
        }),
        (2, 16) => sum::<2>(row, step, |a, b| {
            u16::from_le_bytes(a)
                .wrapping_add(u16::from_le_bytes(b))
                .to_le_bytes()
        }),
        (2, 32) if layout.big_endian => sum::<4>(row, step, |a, b| {
            u32::from_be_bytes(a)
                .wrapping_add(u32::from_be_bytes(b))
                .to_be_bytes()
        }),
        (2, 32) => sum::<4>(row, step, |a, b| {
            u32::from_le_bytes(a)
                .wrapping_add(u32::from_le_bytes(b))
                .to_le_bytes()
        }),
        (3, 16 | 32 | 64) => join_floats(row, step, layout),
        (kind, bits) => bail!(
            Unsupported,
            "TIFF with the predictor {kind} for {bits} bits is not supported"
        ),
    }
    Ok(())
}

/// Add to each sample of `N` bytes the one `step` samples before.
fn sum<const N: usize>(row: &mut [u8], step: usize, add: impl Fn([u8; N], [u8; N]) -> [u8; N]) {
    let (samples, _) = row.as_chunks_mut::<N>();
    for i in step..samples.len() {
        samples[i] = add(samples[i - step], samples[i]);
    }
}

/// The differences of all highest bytes come first, those of all lowest bytes last.
fn join_floats(row: &mut [u8], step: usize, layout: &Layout) {
    sum::<1>(row, step, |[a], [b]| [a.wrapping_add(b)]);
    let width = layout.bits / 8;
    let planes = row.to_vec();
    let count = row.len() / width;
    for (i, sample) in row.chunks_exact_mut(width).enumerate() {
        for (k, byte) in sample.iter_mut().enumerate() {
            let place = if layout.big_endian { k } else { width - 1 - k };
            *byte = planes[place * count + i];
        }
    }
}

/// Turn a row of `out.len()` samples into eight bits each. Those of a palette keep their value.
///
/// # Errors
/// When there is no way to do it.
pub fn to_eight_bits(row: &[u8], layout: &Layout, out: &mut [u8]) -> Result<()> {
    let bits = layout.bits;
    let swap = layout.big_endian != cfg!(target_endian = "big");
    match (layout.number, bits) {
        (Number::Integer, 8) => out.copy_from_slice(&row[..out.len()]),
        (Number::Integer, 1..=15) => {
            let most = (1u32 << bits) - 1;
            let indexed = layout.photometric == 3;
            ensure!(
                !indexed || bits < 8,
                Unsupported,
                "palettes of {bits} bits are not supported"
            );
            for (i, out) in out.iter_mut().enumerate() {
                let value = bits_at(row, i * bits, bits);
                *out = if indexed {
                    value
                } else {
                    (value * 255 + most / 2) / most
                } as u8;
            }
        }
        (Number::Integer, 16) => each(row, swap, out, |v| narrow(u16::from_ne_bytes(v))),
        (Number::Integer, 32) => each(row, swap, out, |v| (u32::from_ne_bytes(v) >> 24) as u8),
        (Number::Float, 32) => each(row, swap, out, |v| {
            (f32::from_ne_bytes(v) * 255.0).round() as u8
        }),
        (Number::Float, 64) => each(row, swap, out, |v| {
            (f64::from_ne_bytes(v) * 255.0).round() as u8
        }),
        (number, bits) => bail!(
            Unsupported,
            "TIFF with {number:?} samples of {bits} bits is not supported"
        ),
    }
    Ok(())
}

/// `narrow` each sample of `N` bytes, in the order of this machine.
fn each<const N: usize>(row: &[u8], swap: bool, out: &mut [u8], narrow: impl Fn([u8; N]) -> u8) {
    for (&sample, out) in row.as_chunks::<N>().0.iter().zip(out) {
        let mut sample = sample;
        if swap {
            sample.reverse();
        }
        *out = narrow(sample);
    }
}

/// `count` bits (15 at most) from bit `at`, the highest first.
fn bits_at(row: &[u8], at: usize, count: usize) -> u32 {
    let byte = |i: usize| u32::from(row.get(at / 8 + i).copied().unwrap_or(0));
    let window = byte(0) << 16 | byte(1) << 8 | byte(2);
    window >> (24 - at % 8 - count) & ((1 << count) - 1)
}

/// Blocks of luma samples with one pair of chroma samples each to three samples a pixel.
pub fn spread_chroma(bytes: &[u8], width: usize, rows: usize, [h, v]: [usize; 2]) -> Vec<u8> {
    let mut out = vec![0; 3 * width * rows];
    let across = width.div_ceil(h);
    for (i, block) in bytes
        .chunks_exact(h * v + 2)
        .take(across * rows.div_ceil(v))
        .enumerate()
    {
        let (left, top) = (i % across * h, i / across * v);
        let (luma, chroma) = block.split_at(h * v);
        for (k, &luma) in luma.iter().enumerate() {
            let (x, y) = (left + k % h, top + k / h);
            if x < width && y < rows {
                let at = 3 * (y * width + x);
                out[at..at + 3].copy_from_slice(&[luma, chroma[0], chroma[1]]);
            }
        }
    }
    out
}
