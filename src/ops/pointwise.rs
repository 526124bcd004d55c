//! Operations without weights: activation, upsampling with a sum, channel factors and means.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::fused::{Array, Kernel};
use super::simd::{dispatch, load, store, sum};

/// Values that one task handles.
const CHUNK: usize = 1 << 14;

/// `max(x, slope x)` for a slope of 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeakyRelu {
    pub(super) slope: f32,
}

impl Kernel<1> for LeakyRelu {
    /// The output: its sign is that of the input, or the gradient is 0 either way.
    type Saved = Array;

    fn forward(&self, [x]: &mut [Array; 1]) -> Array {
        leak(x.values_mut(), None, self.slope);
        x.clone()
    }

    fn save(&self, _inputs: [Array; 1], output: &Array) -> Array {
        output.clone()
    }

    fn backward(&self, output: Array, mut grad: Array, _wanted: [bool; 1]) -> [Option<Array>; 1] {
        leak(grad.values_mut(), Some(output.values()), self.slope);
        [Some(grad)]
    }
}

/// Multiplies `values` by `slope` where `gates` (by default the values themselves) are not positive.
pub(super) fn leak(values: &mut [f32], gates: Option<&[f32]>, slope: f32) {
    values
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(index, out)| {
            let gate = gates.map(|gates| &gates[index * CHUNK..][..out.len()]);
            dispatch(Leak { gate, out, slope });
        });
}

/// Multiplies by `slope` where the gate (by default the value itself) is not positive.
struct Leak<'a> {
    gate: Option<&'a [f32]>,
    out: &'a mut [f32],
    slope: f32,
}

impl WithSimd for Leak<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (zero, slope) = (simd.splat_f32s(0.0), simd.splat_f32s(self.slope));
        let whole = self.out.len() / S::F32_LANES * S::F32_LANES;
        for at in (0..whole).step_by(S::F32_LANES) {
            let x = load::<S>(&self.out[at..]);
            let gate = self.gate.map_or(x, |gate| load::<S>(&gate[at..]));
            let positive = simd.greater_than_f32s(gate, zero);
            let y = simd.select_f32s(positive, x, simd.mul_f32s(x, slope));
            store::<S>(&mut self.out[at..], y);
        }
        for at in whole..self.out.len() {
            let gate = self.gate.map_or(self.out[at], |gate| gate[at]);
            if gate <= 0.0 {
                self.out[at] *= self.slope;
            }
        }
    }
}

/// Nearest upsampling of `[B,C,h,w]` to `[B,C,H,W]`, plus a tensor of that size.
#[derive(Clone, Copy, Debug)]
pub(super) struct UpsampleAdd {
    pub(super) small: [usize; 4],
    pub(super) large: [usize; 4],
}

impl UpsampleAdd {
    /// The row (axis 2) or column (axis 3) of the small map for each of the large.
    fn sources(&self, axis: usize) -> Vec<usize> {
        let (from, to) = (self.small[axis], self.large[axis]);
        (0..to).map(|i| i * from / to).collect()
    }
}

impl Kernel<2> for UpsampleAdd {
    type Saved = ();

    fn forward(&self, [small, large]: &mut [Array; 2]) -> Array {
        let ([_, _, h, w], [_, _, height, width]) = (self.small, self.large);
        let (rows, columns) = (self.sources(2), self.sources(3));
        let planes = large.values_mut().par_chunks_mut(height * width);
        planes
            .zip(small.values().par_chunks(h * w))
            .for_each(|(out, small)| {
                for (out, &row) in out.chunks_mut(width).zip(&rows) {
                    let small = &small[row * w..][..w];
                    out.iter_mut()
                        .zip(&columns)
                        .for_each(|(out, &column)| *out += small[column]);
                }
            });
        large.clone()
    }

    fn save(&self, _inputs: [Array; 2], _output: &Array) {}

    fn backward(&self, (): (), grad: Array, wanted: [bool; 2]) -> [Option<Array>; 2] {
        let ([_, _, h, w], [_, _, height, width]) = (self.small, self.large);
        let small = wanted[0].then(|| {
            let (rows, columns) = (self.sources(2), self.sources(3));
            let mut out = vec![0.0; self.small.iter().product()];
            let planes = out
                .par_chunks_mut(h * w)
                .zip(grad.values().par_chunks(height * width));
            planes.for_each(|(out, grad)| {
                for (grad, &row) in grad.chunks(width).zip(&rows) {
                    let out = &mut out[row * w..][..w];
                    grad.iter()
                        .zip(&columns)
                        .for_each(|(grad, &column)| out[column] += grad);
                }
            });
            Array::from_vec(out, self.small)
        });
        [small, wanted[1].then_some(grad)]
    }
}

/// `[B,C,H,W]` times `[B,C]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScaleChannels {
    pub(super) dims: [usize; 4],
}

impl ScaleChannels {
    fn scale(&self, values: &mut [f32], factors: &[f32]) {
        let plane = self.dims[2] * self.dims[3];
        values
            .par_chunks_mut(plane)
            .zip(factors)
            .for_each(|(values, factor)| {
                values.iter_mut().for_each(|v| *v *= factor);
            });
    }
}

impl Kernel<2> for ScaleChannels {
    type Saved = [Array; 2];

    fn forward(&self, [x, factors]: &mut [Array; 2]) -> Array {
        let mut out = x.values().to_vec();
        self.scale(&mut out, factors.values());
        Array::from_vec(out, self.dims)
    }

    fn save(&self, inputs: [Array; 2], _output: &Array) -> [Array; 2] {
        inputs
    }

    fn backward(
        &self,
        [x, factors]: [Array; 2],
        mut grad: Array,
        wanted: [bool; 2],
    ) -> [Option<Array>; 2] {
        let [b, c, h, w] = self.dims;
        let of_factors = wanted[1].then(|| {
            let planes = x
                .values()
                .par_chunks(h * w)
                .zip(grad.values().par_chunks(h * w));
            let dots = planes.map(|(x, grad)| dispatch(Dot { x, grad })).collect();
            Array::from_vec(dots, [b, c])
        });
        if wanted[0] {
            self.scale(grad.values_mut(), factors.values());
        }
        [wanted[0].then_some(grad), of_factors]
    }
}

/// Sum of products.
struct Dot<'a> {
    x: &'a [f32],
    grad: &'a [f32],
}

impl WithSimd for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let whole = self.x.len() / S::F32_LANES * S::F32_LANES;
        let mut sums = simd.splat_f32s(0.0);
        for at in (0..whole).step_by(S::F32_LANES) {
            let (x, grad) = (load::<S>(&self.x[at..]), load::<S>(&self.grad[at..]));
            sums = simd.mul_add_e_f32s(x, grad, sums);
        }
        let rest = self.x[whole..].iter().zip(&self.grad[whole..]);
        simd.reduce_sum_f32s(sums) + rest.map(|(x, grad)| x * grad).sum::<f32>()
    }
}

/// Mean over height and width: `[B,C,H,W]` -> `[B,C]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct GlobalMean {
    pub(super) dims: [usize; 4],
}

impl Kernel<1> for GlobalMean {
    type Saved = ();

    fn forward(&self, [x]: &mut [Array; 1]) -> Array {
        let [b, c, h, w] = self.dims;
        let planes = x.values().par_chunks(h * w);
        let means = planes.map(|plane| sum(plane) / (h * w) as f32).collect();
        Array::from_vec(means, [b, c])
    }

    fn save(&self, _inputs: [Array; 1], _output: &Array) {}

    fn backward(&self, (): (), grad: Array, _wanted: [bool; 1]) -> [Option<Array>; 1] {
        let [_, _, h, w] = self.dims;
        let mut out = vec![0.0; self.dims.iter().product()];
        out.par_chunks_mut(h * w)
            .zip(grad.values())
            .for_each(|(out, grad)| {
                out.fill(grad / (h * w) as f32);
            });
        [Some(Array::from_vec(out, self.dims))]
    }
}
