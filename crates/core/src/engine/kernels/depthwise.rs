//! Convolutions within each channel.

use super::simd::Simd;
use super::{Isa, Kernel};
use crate::net::Act;

/// Outputs that are computed at once.
const TILE: usize = 4;

/// A row of outputs of one block of channels.
#[derive(Debug)]
pub struct DepthwiseRow<'a> {
    /// Begins where the first output reads.
    pub input: &'a [f32],
    /// Numbers from one row of the input to the next.
    pub input_row: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Pixels from what one output reads to what the next one does.
    pub stride: usize,
    /// `[kernel * kernel][lane]`.
    pub weights: &'a [f32],
    /// `[lane]`.
    pub bias: &'a [f32],
    /// What follows.
    pub act: Act,
    /// One block of each output.
    pub out: &'a mut [f32],
}

/// Compute a row.
pub fn depthwise_row(isa: Isa, row: DepthwiseRow<'_>) {
    let lanes = isa.lanes();
    let width = row.out.len() / lanes;
    if width == 0 || row.kernel == 0 {
        return;
    }
    let last = (row.kernel - 1) * row.input_row + ((width - 1) * row.stride + row.kernel) * lanes;
    assert!(
        last <= row.input.len()
            && row.weights.len() >= row.kernel * row.kernel * lanes
            && row.bias.len() >= lanes,
        "a row beyond its slices"
    );
    // Checked above.
    unsafe {
        match (row.kernel, row.stride) {
            (3, 1) => isa.run(Sized::<3, 1>(row)),
            (3, 2) => isa.run(Sized::<3, 2>(row)),
            (5, 1) => isa.run(Sized::<5, 1>(row)),
            (5, 2) => isa.run(Sized::<5, 2>(row)),
            _ => isa.run(Sized::<0, 0>(row)),
        }
    }
}

/// Kernel and stride, as far as they are worth compiling in (else 0).
struct Sized<'a, const K: usize, const STRIDE: usize>(DepthwiseRow<'a>);

impl<const K: usize, const STRIDE: usize> Kernel for Sized<'_, K, STRIDE> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut row = self.0;
        let (kernel, stride) = match (K, STRIDE) {
            (0, _) => (row.kernel, row.stride),
            known => known,
        };
        let width = row.out.len() / S::LANES;
        let mut x = 0;
        while x + TILE <= width {
            unsafe { tile::<S, TILE>(&mut row, kernel, stride, x) };
            x += TILE;
        }
        while x < width {
            unsafe { tile::<S, 1>(&mut row, kernel, stride, x) };
            x += 1;
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, const P: usize>(
    row: &mut DepthwiseRow<'_>,
    kernel: usize,
    stride: usize,
    x: usize,
) {
    unsafe {
        let mut sums = [S::load(row.bias.as_ptr()); P];
        let input = row.input.as_ptr().add(x * stride * S::LANES);
        for ky in 0..kernel {
            let line = input.add(ky * row.input_row);
            let weights = row.weights.as_ptr().add(ky * kernel * S::LANES);
            for kx in 0..kernel {
                let weight = S::load(weights.add(kx * S::LANES));
                for (p, sum) in sums.iter_mut().enumerate() {
                    let x = S::load(line.add((p * stride + kx) * S::LANES));
                    *sum = x.mul_add(weight, *sum);
                }
            }
        }
        let out = row.out.as_mut_ptr().add(x * S::LANES);
        for (p, sum) in sums.iter().enumerate() {
            sum.act(row.act).store(out.add(p * S::LANES));
        }
    }
}
