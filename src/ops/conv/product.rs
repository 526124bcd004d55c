//! The inner loops: weights times shifted rows, and rows correlated with rows.

use pulp::{MemMask, Simd, WithSimd};

use super::geometry::Place;
use crate::ops::simd::{dispatch, load_at, store};

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

/// `out[row] = bias[row] + sum over taps of weight[row][tap] * x[offset[tap]..]`.
pub(super) struct Product<'a> {
    pub(super) packed: &'a Packed,
    pub(super) x: &'a [f32],
    pub(super) offsets: &'a [usize],
    pub(super) place: Place,
    /// One plane per row.
    pub(super) out: &'a mut [f32],
    pub(super) plane: usize,
}

impl Product<'_> {
    pub(super) fn run(self) {
        if self.place.span() > 0 {
            dispatch(self);
        }
    }

    #[inline(always)]
    fn blocks<S: Simd, const MR: usize, const NV: usize>(self, simd: S) {
        let span = self.place.span();
        // Checked here once: every row holds the whole span.
        let rows: Vec<&[f32]> = self.offsets.iter().map(|&o| &self.x[o..o + span]).collect();
        let mut strip = [[0.0; STRIP]; MR];
        let taps = self.packed.taps;
        for start in (0..span).step_by(STRIP) {
            let len = STRIP.min(span - start);
            for (index, planes) in self.out.chunks_mut(MR * self.plane).enumerate() {
                let weights = &self.packed.values[index * taps * MR..][..taps * MR];
                let bias = &self.packed.bias[index * MR..][..MR];
                strip_of::<S, MR, NV>(simd, &rows, weights, bias, start, len, &mut strip);
                for (plane, strip) in planes.chunks_mut(self.plane).zip(&strip) {
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
        debug_assert_eq!(self.out.len(), self.packed.rows * self.plane);
        match self.packed.block {
            1 => self.blocks::<S, 1, 6>(simd),
            4 => self.blocks::<S, 4, 3>(simd),
            _ => self.blocks::<S, 8, 3>(simd),
        }
    }
}

/// Results of one weight block at `start..start + len`, rows STRIP apart.
#[inline(always)]
fn strip_of<S: Simd, const MR: usize, const NV: usize>(
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
    // SAFETY (all tiles): every row holds start + len floats or more; a tile reads no further, the
    // last one through a mask.
    while at + NV * lanes <= len {
        let tile = unsafe { tile::<S, MR, NV>(simd, rows, weights, bias, start + at, None) };
        put_tile::<S, MR, NV>(tile, strip, at);
        at += NV * lanes;
    }
    while at < len {
        let left = len - at;
        let mask = (left < lanes).then(|| simd.mask_between_m32s(0, left as u32));
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

/// `out[a][b] = sum over images and positions of left[image][a] * right[image][b]`.
pub(super) struct Correlate<'a> {
    /// Rows of all images, `lefts` of each; all rows are equally long.
    pub(super) left: &'a [&'a [f32]],
    pub(super) lefts: usize,
    /// Rows of all images, `rights` of each, at least as long.
    pub(super) right: &'a [&'a [f32]],
    pub(super) rights: usize,
    /// Row of `left` that `out` starts at.
    pub(super) first: usize,
    /// Whole rows of `rights` values.
    pub(super) out: &'a mut [f32],
}

impl Correlate<'_> {
    pub(super) fn run(self) {
        dispatch(self);
    }

    #[inline(always)]
    fn tiles<S: Simd, const A: usize, const B: usize>(mut self, simd: S) {
        let rows = self.out.len() / self.rights;
        for a in (0..rows).step_by(A) {
            for b in (0..self.rights).step_by(B) {
                let sums = self.tile::<S, A, B>(simd, self.first + a, b);
                let width = B.min(self.rights - b);
                for (i, sums) in sums.iter().enumerate().take(rows - a) {
                    let start = (a + i) * self.rights + b;
                    for (out, &sum) in self.out[start..start + width].iter_mut().zip(sums) {
                        *out = simd.reduce_sum_f32s(sum);
                    }
                }
            }
        }
    }

    /// A x B sums of products; rows past the end repeat the last and are dropped by the caller.
    #[inline(always)]
    fn tile<S: Simd, const A: usize, const B: usize>(
        &mut self,
        simd: S,
        a: usize,
        b: usize,
    ) -> [[S::f32s; B]; A] {
        let mut sums = [[simd.splat_f32s(0.0); B]; A];
        let images = self
            .left
            .chunks(self.lefts)
            .zip(self.right.chunks(self.rights));
        for (lefts, rights) in images {
            let left: [&[f32]; A] = std::array::from_fn(|i| lefts[(a + i).min(self.lefts - 1)]);
            let len = left[0].len();
            let left = left.map(|row| &row[..len]);
            let right: [&[f32]; B] =
                std::array::from_fn(|j| &rights[(b + j).min(self.rights - 1)][..len]);
            let lanes = S::F32_LANES;
            let mut at = 0;
            while at + lanes <= len {
                // SAFETY: all rows were cut to `len`, and at + F32_LANES <= len.
                unsafe { accumulate(simd, &left, &right, at, None, &mut sums) };
                at += lanes;
            }
            if at < len {
                let mask = simd.mask_between_m32s(0, (len - at) as u32);
                // SAFETY: the mask selects len - at floats.
                unsafe { accumulate(simd, &left, &right, at, Some(mask), &mut sums) };
            }
        }
        sums
    }
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.lefts == 1 {
            self.tiles::<S, 1, 9>(simd);
        } else if S::REGISTER_COUNT >= 32 {
            self.tiles::<S, 4, 6>(simd);
        } else {
            self.tiles::<S, 2, 4>(simd);
        }
    }
}

/// Adds one vector of products of each pair.
///
/// # Safety
/// Every row must hold `at + F32_LANES` floats, or what `mask` selects.
#[inline(always)]
unsafe fn accumulate<S: Simd, const A: usize, const B: usize>(
    simd: S,
    left: &[&[f32]; A],
    right: &[&[f32]; B],
    at: usize,
    mask: Option<MemMask<S::m32s>>,
    sums: &mut [[S::f32s; B]; A],
) {
    let mut l = [simd.splat_f32s(0.0); A];
    for (l, row) in l.iter_mut().zip(left) {
        // SAFETY: as the caller promises.
        *l = unsafe { load_at(simd, row, at, mask) };
    }
    for (j, row) in right.iter().enumerate() {
        // SAFETY: as the caller promises.
        let r = unsafe { load_at(simd, row, at, mask) };
        for i in 0..A {
            sums[i][j] = simd.mul_add_e_f32s(l[i], r, sums[i][j]);
        }
    }
}
