//! The inner loop of weight gradients: rows correlated with rows.

use pulp::{MemMask, Simd, WithSimd};

use crate::ops::simd::{dispatch, load_at};

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
