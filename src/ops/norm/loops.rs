//! The loops of batch norm over one plane.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use crate::ops::simd::{load, store, write};

/// What one channel is multiplied by and shifted by.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) scale: f32,
    pub(super) shift: f32,
    pub(super) mean: f32,
    /// 1 / standard deviation.
    pub(super) inverse: f32,
}

/// Sum of (x - centre) and of its square.
pub(super) struct Moments<'a> {
    pub(super) values: &'a [f32],
    pub(super) centre: f32,
}

impl WithSimd for Moments<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let centre = simd.splat_f32s(self.centre);
        let mut sums = [[simd.splat_f32s(0.0); 4]; 2];
        let wide = self.values.chunks_exact(4 * S::F32_LANES);
        let rest = wide.remainder().chunks_exact(S::F32_LANES);
        let tail = rest.remainder();
        let mut add = |k: usize, x: &[f32]| {
            let d = simd.sub_f32s(load::<S>(x), centre);
            sums[0][k] = simd.add_f32s(sums[0][k], d);
            sums[1][k] = simd.mul_add_e_f32s(d, d, sums[1][k]);
        };
        for block in wide {
            for k in 0..4 {
                add(k, &block[k * S::F32_LANES..][..S::F32_LANES]);
            }
        }
        rest.for_each(|x| add(0, x));
        let mut out = sums.map(|sums| simd.reduce_sum_f32s(total(simd, sums)));
        for x in tail {
            let d = x - self.centre;
            out[0] += d;
            out[1] += d * d;
        }
        out
    }
}

#[inline(always)]
fn total<S: Simd>(simd: S, sums: [S::f32s; 4]) -> S::f32s {
    let [a, b, c, d] = sums;
    simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d))
}

/// `out = act(x * scale + shift)`.
pub(super) struct Apply<'a> {
    pub(super) x: &'a [f32],
    pub(super) out: &'a mut [MaybeUninit<f32>],
    pub(super) line: Line,
    pub(super) slope: f32,
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Line { scale, shift, .. } = self.line;
        let (vscale, vshift) = (simd.splat_f32s(scale), simd.splat_f32s(shift));
        let (zero, vslope) = (simd.splat_f32s(0.0), simd.splat_f32s(self.slope));
        let whole = self.x.len() / S::F32_LANES * S::F32_LANES;
        let (x, x_rest) = self.x.split_at(whole);
        let (out, out_rest) = self.out.split_at_mut(whole);
        for (x, out) in x
            .chunks_exact(S::F32_LANES)
            .zip(out.chunks_exact_mut(S::F32_LANES))
        {
            let y = simd.mul_add_e_f32s(load::<S>(x), vscale, vshift);
            let negative = simd.less_than_f32s(y, zero);
            write::<S>(out, simd.select_f32s(negative, simd.mul_f32s(y, vslope), y));
        }
        for (x, out) in x_rest.iter().zip(out_rest) {
            let y = x.mul_add(scale, shift);
            out.write(if y < 0.0 { y * self.slope } else { y });
        }
    }
}

/// Sum of g and of g (x - mean), where g is the gradient before the activation.
pub(super) struct Reduce<'a> {
    pub(super) x: &'a [f32],
    pub(super) grad: &'a [f32],
    pub(super) line: Line,
    pub(super) slope: f32,
}

impl WithSimd for Reduce<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let gate = Gate::new(simd, self.line, self.slope);
        let mean = simd.splat_f32s(self.line.mean);
        let mut sums = [[simd.splat_f32s(0.0); 4]; 2];
        let whole = self.x.len() / S::F32_LANES;
        let vectors = self
            .x
            .chunks_exact(S::F32_LANES)
            .zip(self.grad.chunks_exact(S::F32_LANES));
        for (index, (x, grad)) in vectors.enumerate() {
            let x = load::<S>(x);
            let g = gate.pass(simd, x, load::<S>(grad));
            let k = index % 4;
            sums[0][k] = simd.add_f32s(sums[0][k], g);
            sums[1][k] = simd.mul_add_e_f32s(g, simd.sub_f32s(x, mean), sums[1][k]);
        }
        let mut out = sums.map(|sums| simd.reduce_sum_f32s(total(simd, sums)));
        for (x, grad) in self.x.iter().zip(self.grad).skip(whole * S::F32_LANES) {
            let g = gate_one(self.line, self.slope, *x, *grad);
            out[0] += g;
            out[1] += g * (x - self.line.mean);
        }
        out
    }
}

/// `grad = scale * (g - lift - (x - mean) tilt)`.
pub(super) struct Propagate<'a> {
    pub(super) x: &'a [f32],
    pub(super) grad: &'a mut [f32],
    pub(super) line: Line,
    pub(super) slope: f32,
    pub(super) lift: f32,
    pub(super) tilt: f32,
}

impl WithSimd for Propagate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Line { scale, mean, .. } = self.line;
        let gate = Gate::new(simd, self.line, self.slope);
        // scale g + a x + b
        let a = -scale * self.tilt;
        let b = scale * (mean * self.tilt - self.lift);
        let (va, vb, vscale) = (
            simd.splat_f32s(a),
            simd.splat_f32s(b),
            simd.splat_f32s(scale),
        );
        let whole = self.x.len() / S::F32_LANES * S::F32_LANES;
        let (x, x_rest) = self.x.split_at(whole);
        let (grad, grad_rest) = self.grad.split_at_mut(whole);
        for (x, grad) in x
            .chunks_exact(S::F32_LANES)
            .zip(grad.chunks_exact_mut(S::F32_LANES))
        {
            let x = load::<S>(x);
            let g = gate.pass(simd, x, load::<S>(grad));
            let rest = simd.mul_add_e_f32s(x, va, vb);
            store::<S>(grad, simd.mul_add_e_f32s(g, vscale, rest));
        }
        for (x, grad) in x_rest.iter().zip(grad_rest) {
            let g = gate_one(self.line, self.slope, *x, *grad);
            *grad = g.mul_add(scale, x.mul_add(a, b));
        }
    }
}

/// The derivative of the activation, from the sign that the forward pass saw.
#[derive(Clone, Copy)]
struct Gate<S: Simd> {
    scale: S::f32s,
    shift: S::f32s,
    slope: S::f32s,
    zero: S::f32s,
}

impl<S: Simd> Gate<S> {
    #[inline(always)]
    fn new(simd: S, line: Line, slope: f32) -> Self {
        Self {
            scale: simd.splat_f32s(line.scale),
            shift: simd.splat_f32s(line.shift),
            slope: simd.splat_f32s(slope),
            zero: simd.splat_f32s(0.0),
        }
    }

    #[inline(always)]
    fn pass(self, simd: S, x: S::f32s, grad: S::f32s) -> S::f32s {
        let y = simd.mul_add_e_f32s(x, self.scale, self.shift);
        let positive = simd.greater_than_f32s(y, self.zero);
        simd.select_f32s(positive, grad, simd.mul_f32s(grad, self.slope))
    }
}

fn gate_one(line: Line, slope: f32, x: f32, grad: f32) -> f32 {
    if x.mul_add(line.scale, line.shift) > 0.0 {
        grad
    } else {
        grad * slope
    }
}
