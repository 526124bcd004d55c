//! The inner loop of convolutions and their input gradients: weights times shifted rows.

use std::mem::MaybeUninit;

use pulp::{MemMask, Simd, WithSimd};

use super::geometry::Place;
use crate::ops::simd::{dispatch, load, load_at, store};

/// Flat positions handled before the results are put in place.
const STRIP: usize = 480;

/// Output channels of a weight block on this processor.
pub(super) fn block_rows() -> usize {
    struct Rows;
    impl WithSimd for Rows {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            if S::REGISTER_COUNT >= 32 { 8 } else { 4 }
        }
    }
    dispatch(Rows)
}

/// Weights in blocks of output channels: `[block][tap][channel of the block]`, zeros behind the
/// last channel.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    values: Vec<f32>,
    bias: Vec<f32>,
    rows: usize,
    block: usize,
    taps: usize,
}

impl Packed {
    /// Packs `rows` x `taps` weights given by `weight(row, tap)`.
    pub(super) fn new(
        rows: usize,
        taps: usize,
        block: usize,
        bias: Option<&[f32]>,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let blocks = rows.div_ceil(block);
        let mut values = vec![0.0; blocks * taps * block];
        for row in 0..rows {
            let base = (row / block) * taps * block + row % block;
            for tap in 0..taps {
                values[base + tap * block] = weight(row, tap);
            }
        }
        let mut padded = bias.map_or_else(Vec::new, <[f32]>::to_vec);
        padded.resize(blocks * block, 0.0);
        Self {
            values,
            bias: padded,
            rows,
            block,
            taps,
        }
    }
}

/// `out[row] = act(bias[row] + sum over taps of weight[row][tap] * x[offset[tap]..])`.
pub(super) struct Product<'a> {
    pub(super) packed: &'a Packed,
    pub(super) x: &'a [f32],
    pub(super) offsets: &'a [usize],
    /// Added to all offsets.
    pub(super) shift: usize,
    pub(super) place: Place,
    /// Factor of negative results.
    pub(super) slope: Option<f32>,
    /// One plane, or a band of it, per row.
    pub(super) out: Vec<&'a mut [MaybeUninit<f32>]>,
}

impl Product<'_> {
    pub(super) fn run(self) {
        if self.place.span() > 0 {
            dispatch(self);
        }
    }

    #[inline(always)]
    fn blocks<S: Simd, const MR: usize, const NV: usize>(mut self, simd: S) {
        let span = self.place.span();
        // Checked here once: every row holds the whole span.
        let offsets = self.offsets.iter().map(|offset| offset + self.shift);
        let rows: Vec<&[f32]> = offsets.map(|o| &self.x[o..o + span]).collect();
        let mut strip = [[0.0; STRIP]; MR];
        let taps = self.packed.taps;
        for start in (0..span).step_by(STRIP) {
            let len = STRIP.min(span - start);
            for (index, planes) in self.out.chunks_mut(MR).enumerate() {
                let weights = &self.packed.values[index * taps * MR..][..taps * MR];
                let bias = &self.packed.bias[index * MR..][..MR];
                // SAFETY: every row holds `span` floats, and start + len is no more.
                unsafe {
                    strip_of::<S, MR, NV>(simd, &rows, weights, bias, start, len, &mut strip);
                }
                for (plane, strip) in planes.iter_mut().zip(&mut strip) {
                    if let Some(slope) = self.slope {
                        activate(simd, strip, slope);
                    }
                    self.place.put(&strip[..len], start, plane);
                }
            }
        }
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        debug_assert_eq!(self.out.len(), self.packed.rows);
        match self.packed.block {
            1 => self.blocks::<S, 1, 6>(simd),
            4 => self.blocks::<S, 4, 3>(simd),
            _ => self.blocks::<S, 8, 3>(simd),
        }
    }
}

#[inline(always)]
fn activate<S: Simd>(simd: S, strip: &mut [f32; STRIP], slope: f32) {
    let slope = simd.splat_f32s(slope);
    for x in strip.chunks_exact_mut(S::F32_LANES) {
        let value = load::<S>(x);
        store::<S>(x, simd.max_f32s(value, simd.mul_f32s(value, slope)));
    }
}

/// Results of one weight block at `start..start + len`, rows STRIP apart.
///
/// # Safety
/// Every row must hold `start + len` floats.
#[inline(always)]
unsafe fn strip_of<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    rows: &[&[f32]],
    weights: &[f32],
    bias: &[f32],
    start: usize,
    len: usize,
    strip: &mut [[f32; STRIP]; MR],
) {
    let lanes = S::F32_LANES;
    let mut at = 0;
    while at + NV * lanes <= len {
        // SAFETY: the caller's rows hold start + len floats, and the tile ends there or before.
        let tile = unsafe { tile::<S, MR, NV>(simd, rows, weights, bias, start + at, None) };
        put_tile::<S, MR, NV>(tile, strip, at);
        at += NV * lanes;
    }
    while at < len {
        let left = len - at;
        let mask = (left < lanes).then(|| simd.mask_between_m32s(0, left as u32));
        // SAFETY: as above; the last vector is read through a mask that ends with the rows.
        let tile = unsafe { tile::<S, MR, 1>(simd, rows, weights, bias, start + at, mask) };
        put_tile::<S, MR, 1>(tile, strip, at);
        at += lanes;
    }
}

#[inline(always)]
fn put_tile<S: Simd, const MR: usize, const NV: usize>(
    tile: [[S::f32s; NV]; MR],
    strip: &mut [[f32; STRIP]; MR],
    at: usize,
) {
    for (vectors, row) in tile.iter().zip(strip) {
        for (v, &vector) in vectors.iter().enumerate() {
            store::<S>(&mut row[at + v * S::F32_LANES..][..S::F32_LANES], vector);
        }
    }
}

/// MR channels at NV vectors of positions from `at` on.
///
/// # Safety
/// Every row must hold `at + NV * F32_LANES` floats, or what `mask` selects of one vector.
#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    rows: &[&[f32]],
    weights: &[f32],
    bias: &[f32],
    at: usize,
    mask: Option<MemMask<S::m32s>>,
) -> [[S::f32s; NV]; MR] {
    let mut sums = [[simd.splat_f32s(0.0); NV]; MR];
    for (sum, &bias) in sums.iter_mut().zip(bias) {
        *sum = [simd.splat_f32s(bias); NV];
    }
    for (row, weights) in rows.iter().zip(weights.chunks_exact(MR)) {
        let mut x = [simd.splat_f32s(0.0); NV];
        for (v, x) in x.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            *x = unsafe { load_at(simd, row, at + v * S::F32_LANES, mask) };
        }
        for m in 0..MR {
            let weight = simd.splat_f32s(weights[m]);
            for v in 0..NV {
                sums[m][v] = simd.mul_add_e_f32s(weight, x[v], sums[m][v]);
            }
        }
    }
    sums
}
