//! What is done to each number, and maxima and means.

use super::simd::Simd;
use super::{Isa, Kernel};
use crate::net::{Act, Pool};

/// `row = act(row)`.
pub fn act_row(isa: Isa, row: &mut [f32], act: Act) {
    struct Run<'a>(&'a mut [f32], Act);
    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            for at in self.0.chunks_exact_mut(S::LANES) {
                unsafe { S::load(at.as_ptr()).act(self.1).store(at.as_mut_ptr()) };
            }
        }
    }
    // Chunks are whole vectors.
    unsafe { isa.run(Run(row, act)) }
}

/// `row = act(row + other)`.
pub fn add_row(isa: Isa, row: &mut [f32], other: &[f32], act: Act) {
    struct Run<'a>(&'a mut [f32], &'a [f32], Act);
    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let others = self.1.chunks_exact(S::LANES);
            for (at, other) in self.0.chunks_exact_mut(S::LANES).zip(others) {
                unsafe {
                    let sum = S::load(at.as_ptr()).add(S::load(other.as_ptr()));
                    sum.act(self.2).store(at.as_mut_ptr());
                }
            }
        }
    }
    // Chunks are whole vectors.
    unsafe { isa.run(Run(row, other, act)) }
}

/// `row = max(row, 0) + slope * min(row, 0)`, the slopes of one block of channels.
pub fn prelu_row(isa: Isa, row: &mut [f32], slope: &[f32]) {
    struct Run<'a>(&'a mut [f32], &'a [f32]);
    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            unsafe {
                let (slope, zero) = (S::load(self.1.as_ptr()), S::splat(0.0));
                for at in self.0.chunks_exact_mut(S::LANES) {
                    let x = S::load(at.as_ptr());
                    let out = x.min(zero).mul_add(slope, x.max(zero));
                    out.store(at.as_mut_ptr());
                }
            }
        }
    }
    assert!(slope.len() >= isa.lanes(), "fewer slopes than channels");
    // Chunks are whole vectors.
    unsafe { isa.run(Run(row, slope)) }
}

/// `row = row * factor`, the factors of one block of channels.
pub fn scale_row(isa: Isa, row: &mut [f32], factor: &[f32]) {
    struct Run<'a>(&'a mut [f32], &'a [f32]);
    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            unsafe {
                let factor = S::load(self.1.as_ptr());
                for at in self.0.chunks_exact_mut(S::LANES) {
                    S::load(at.as_ptr()).mul(factor).store(at.as_mut_ptr());
                }
            }
        }
    }
    assert!(factor.len() >= isa.lanes(), "fewer factors than channels");
    // Chunks are whole vectors.
    unsafe { isa.run(Run(row, factor)) }
}

/// `large[x] += small[x * small_width / width]` for one block of a row.
pub fn upsample_add_row(isa: Isa, large: &mut [f32], small: &[f32]) {
    struct Run<'a>(&'a mut [f32], &'a [f32]);
    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let (width, from) = (self.0.len() / S::LANES, self.1.len() / S::LANES);
            for (x, at) in self.0.chunks_exact_mut(S::LANES).enumerate() {
                let source = &self.1[x * from / width * S::LANES..];
                unsafe {
                    let sum = S::load(at.as_ptr()).add(S::load(source.as_ptr()));
                    sum.store(at.as_mut_ptr());
                }
            }
        }
    }
    let lanes = isa.lanes();
    assert!(large.len().is_multiple_of(lanes) && small.len().is_multiple_of(lanes));
    assert!(!small.is_empty(), "nothing to enlarge");
    // Chunks are whole vectors, and `x * from / width < from`.
    unsafe { isa.run(Run(large, small)) }
}

/// Mean over rows of one block of channels: row `y` is `input[y * row..]` with `width` pixels.
pub fn mean_rows(isa: Isa, input: &[f32], [rows, row, width]: [usize; 3], out: &mut [f32]) {
    struct Run<'a>(&'a [f32], [usize; 3], &'a mut [f32]);
    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let [rows, row, width] = self.1;
            unsafe {
                // Row by row: fewer roundings than in one sum over everything.
                let mut total = S::splat(0.0);
                for y in 0..rows {
                    let line = &self.0[y * row..y * row + width * S::LANES];
                    let mut sum = S::splat(0.0);
                    for at in line.chunks_exact(S::LANES) {
                        sum = sum.add(S::load(at.as_ptr()));
                    }
                    total = total.add(sum);
                }
                let share = S::splat(1.0 / (rows * width) as f32);
                total.mul(share).store(self.2.as_mut_ptr());
            }
        }
    }
    assert!(out.len() >= isa.lanes(), "no place for a mean");
    // Chunks are whole vectors.
    unsafe { isa.run(Run(input, [rows, row, width], out)) }
}

/// Largest values of the squares of a row of outputs, for one block of channels. `rows` are those
/// of the input that exist, each with all its pixels.
pub fn max_pool_row<'a>(
    isa: Isa,
    rows: impl Iterator<Item = &'a [f32]> + Clone,
    pool: Pool,
    out: &mut [f32],
) {
    struct Run<'a, I>(I, Pool, &'a mut [f32]);
    impl<'a, I: Iterator<Item = &'a [f32]> + Clone> Kernel for Run<'_, I> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let Self(rows, pool, out) = self;
            for (x, out) in out.chunks_exact_mut(S::LANES).enumerate() {
                let first = (x * pool.stride).saturating_sub(pool.pad);
                let past = (x * pool.stride + pool.kernel).saturating_sub(pool.pad);
                unsafe {
                    let mut largest = S::splat(f32::NEG_INFINITY);
                    for row in rows.clone() {
                        let past = past.min(row.len() / S::LANES).max(first);
                        for at in row[first * S::LANES..past * S::LANES].chunks_exact(S::LANES) {
                            largest = largest.max(S::load(at.as_ptr()));
                        }
                    }
                    largest.store(out.as_mut_ptr());
                }
            }
        }
    }
    // Chunks are whole vectors.
    unsafe { isa.run(Run(rows, pool, out)) }
}
