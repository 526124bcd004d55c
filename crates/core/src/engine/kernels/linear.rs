//! Fully connected layers.

use super::buffer::Buffer;
use super::simd::Simd;
use super::{Isa, Kernel};
use crate::net::Act;

/// Images that read a weight while it is there.
const IMAGES: usize = 4;

/// For `images` rows of `inputs` numbers each the outputs in blocks: `out[image][block][lane]`.
/// `weights` is `[block][input][lane]`, `bias` `[block][lane]`.
pub fn linear(
    isa: Isa,
    [images, inputs]: [usize; 2],
    input: &[f32],
    weights: &Buffer,
    bias: &Buffer,
    act: Act,
    out: &mut [f32],
) {
    let lanes = isa.lanes();
    let blocks = out.len() / lanes / images.max(1);
    assert!(
        input.len() >= images * inputs
            && weights.as_slice().len() >= blocks * inputs * lanes
            && bias.as_slice().len() >= blocks * lanes,
        "a layer beyond its slices"
    );
    for first in (0..images).step_by(IMAGES) {
        let count = IMAGES.min(images - first);
        for block in 0..blocks {
            let dot = Dot {
                input: input[first * inputs..].as_ptr(),
                inputs,
                weights: weights.as_slice()[block * inputs * lanes..].as_ptr(),
                bias: bias.as_slice()[block * lanes..].as_ptr(),
                act,
                out: out[(first * blocks + block) * lanes..].as_mut_ptr(),
                out_image: blocks * lanes,
            };
            // Checked above.
            unsafe {
                match count {
                    4 => isa.run(Images::<4>(dot)),
                    3 => isa.run(Images::<3>(dot)),
                    2 => isa.run(Images::<2>(dot)),
                    _ => isa.run(Images::<1>(dot)),
                }
            }
        }
    }
}

struct Dot {
    input: *const f32,
    inputs: usize,
    weights: *const f32,
    bias: *const f32,
    act: Act,
    out: *mut f32,
    out_image: usize,
}

struct Images<const N: usize>(Dot);

/// Sums that go on side by side, so that one addition need not wait for the other.
const SIDE: usize = 4;

impl<const N: usize> Kernel for Images<N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let dot = self.0;
        unsafe {
            let mut sums = [[S::splat(0.0); SIDE]; N];
            let whole = dot.inputs / SIDE * SIDE;
            for i in (0..whole).step_by(SIDE) {
                for s in 0..SIDE {
                    let weight = S::load(dot.weights.add((i + s) * S::LANES));
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let x = S::splat(*dot.input.add(n * dot.inputs + i + s));
                        sums[s] = x.mul_add(weight, sums[s]);
                    }
                }
            }
            for i in whole..dot.inputs {
                let weight = S::load(dot.weights.add(i * S::LANES));
                for (n, sums) in sums.iter_mut().enumerate() {
                    let x = S::splat(*dot.input.add(n * dot.inputs + i));
                    sums[0] = x.mul_add(weight, sums[0]);
                }
            }
            for (n, sums) in sums.iter().enumerate() {
                let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
                let sum = sum.add(S::load(dot.bias));
                sum.act(dot.act).store(dot.out.add(n * dot.out_image));
            }
        }
    }
}
