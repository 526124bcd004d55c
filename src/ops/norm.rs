//! Batch norm with its activation, in one pass over memory per direction: a channel's planes are
//! read for the statistics and again, from the cache, for the result.

use std::sync::{Arc, OnceLock};

use burn::nn::BatchNorm;
use burn::tensor::{Tensor, TensorData};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::fused::{Array, Kernel, run3};
use super::simd::{dispatch, load, store};

/// Mean and variance per channel.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    mean: Vec<f32>,
    /// Biased, as used to normalise.
    variance: Vec<f32>,
}

/// Batch norm and activation: input `[B,C,H,W]`, gamma `[C]`, beta `[C]`.
#[derive(Clone, Debug)]
struct Norm {
    dims: [usize; 4],
    epsilon: f32,
    /// Factor of negative values; 1 leaves the activation out.
    slope: f32,
    /// Running statistics; without them the batch's own are used and left in `found`.
    fixed: Option<Statistics>,
    found: Arc<OnceLock<Statistics>>,
}

/// Batch norm and `max(x, slope x)` on the `flex` backend.
pub(super) fn batch_norm_act(norm: &BatchNorm, x: Tensor<4>, slope: Option<f32>) -> Tensor<4> {
    let dims = x.dims();
    let trains = x.device().is_autodiff() && norm.training.is_enabled();
    let found = Arc::new(OnceLock::new());
    let kernel = Norm {
        dims,
        epsilon: norm.epsilon as f32,
        slope: slope.unwrap_or(1.0),
        fixed: (!trains).then(|| Statistics {
            mean: values(norm.running_mean.value_sync()),
            variance: values(norm.running_var.value_sync()),
        }),
        found: Arc::clone(&found),
    };
    let out = run3(kernel, x, norm.gamma.val(), norm.beta.val());
    if let Some(found) = found.get() {
        update_running(norm, found, dims[0] * dims[2] * dims[3]);
    }
    out
}

fn values(x: Tensor<1>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// Running averages as PyTorch keeps them: the variance that enters is the unbiased one (burn's
/// own batch norm takes the biased).
fn update_running(norm: &BatchNorm, found: &Statistics, count: usize) {
    let momentum = norm.momentum as f32;
    let unbiased = count as f32 / count.saturating_sub(1).max(1) as f32;
    let blend = |running: Tensor<1>, new: &[f32], factor: f32| {
        let device = running.device();
        let mixed: Vec<f32> = values(running)
            .iter()
            .zip(new)
            .map(|(old, new)| (1.0 - momentum) * old + momentum * factor * new)
            .collect();
        let len = mixed.len();
        Tensor::<1>::from_data(TensorData::new(mixed, [len]), &device)
    };
    let mean = blend(norm.running_mean.value_sync(), &found.mean, 1.0);
    let variance = blend(norm.running_var.value_sync(), &found.variance, unbiased);
    norm.running_mean.update(mean);
    norm.running_var.update(variance);
}

/// What one channel is multiplied by and shifted by.
#[derive(Clone, Copy)]
struct Line {
    scale: f32,
    shift: f32,
    mean: f32,
    /// 1 / standard deviation.
    inverse: f32,
}

impl Norm {
    fn line(&self, mean: f32, variance: f32, gamma: f32, beta: f32) -> Line {
        let inverse = 1.0 / (variance + self.epsilon).sqrt();
        let scale = gamma * inverse;
        Line {
            scale,
            shift: beta - mean * scale,
            mean,
            inverse,
        }
    }

    fn plane(&self) -> usize {
        self.dims[2] * self.dims[3]
    }

    /// The planes of each channel, over all images.
    fn by_channel<'a>(&self, values: &'a mut [f32]) -> Vec<Vec<&'a mut [f32]>> {
        let mut channels: Vec<Vec<_>> = (0..self.dims[1])
            .map(|_| Vec::with_capacity(self.dims[0]))
            .collect();
        for (index, plane) in values.chunks_mut(self.plane()).enumerate() {
            channels[index % self.dims[1]].push(plane);
        }
        channels
    }

    fn planes<'a>(
        &self,
        x: &'a [f32],
        channel: usize,
    ) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        x.chunks(self.plane()).skip(channel).step_by(self.dims[1])
    }

    /// Mean and biased variance of one channel, from sums around its first value so that a large
    /// mean costs no precision.
    fn measure(&self, x: &[f32], channel: usize) -> (f32, f32) {
        let centre = self.planes(x, channel).next().map_or(0.0, |plane| plane[0]);
        let (mut sum, mut squares) = (0.0, 0.0);
        for values in self.planes(x, channel) {
            let [s, q] = dispatch(Moments { values, centre });
            sum += f64::from(s);
            squares += f64::from(q);
        }
        let count = (self.dims[0] * self.plane()) as f64;
        let offset = sum / count;
        let variance = (squares / count - offset * offset).max(0.0);
        ((f64::from(centre) + offset) as f32, variance as f32)
    }
}

impl Kernel<3> for Norm {
    type Saved = ([Array; 3], Statistics);

    fn forward(&self, [x, gamma, beta]: &[Array; 3]) -> Array {
        let (x, gamma, beta) = (x.values(), gamma.values(), beta.values());
        let mut out = vec![0.0; x.len()];
        let statistics: Vec<(f32, f32)> = self
            .by_channel(&mut out)
            .into_par_iter()
            .enumerate()
            .map(|(c, planes)| {
                let (mean, variance) = match &self.fixed {
                    Some(fixed) => (fixed.mean[c], fixed.variance[c]),
                    None => self.measure(x, c),
                };
                let line = self.line(mean, variance, gamma[c], beta[c]);
                for (out, x) in planes.into_iter().zip(self.planes(x, c)) {
                    dispatch(Apply {
                        x,
                        out,
                        line,
                        slope: self.slope,
                    });
                }
                (mean, variance)
            })
            .collect();
        if self.fixed.is_none() {
            let (mean, variance) = statistics.into_iter().unzip();
            // Nobody else can have set it: each call makes its own kernel.
            let _ = self.found.set(Statistics { mean, variance });
        }
        Array::from_vec(out, self.dims)
    }

    fn save(&self, inputs: [Array; 3], _output: &Array) -> Self::Saved {
        let statistics = self.fixed.as_ref().or(self.found.get());
        let empty = || Statistics {
            mean: Vec::new(),
            variance: Vec::new(),
        };
        (inputs, statistics.cloned().unwrap_or_else(empty))
    }

    fn backward(
        &self,
        ([x, gamma, beta], statistics): Self::Saved,
        mut grad: Array,
        wanted: [bool; 3],
    ) -> [Option<Array>; 3] {
        let (x, gamma, beta) = (x.values(), gamma.values(), beta.values());
        let count = (self.dims[0] * self.plane()) as f32;
        let sums: Vec<(f32, f32)> = self
            .by_channel(grad.values_mut())
            .into_par_iter()
            .enumerate()
            .map(|(c, mut planes)| {
                let (mean, variance) = (statistics.mean[c], statistics.variance[c]);
                let line = self.line(mean, variance, gamma[c], beta[c]);
                let (mut of_beta, mut of_gamma) = (0.0, 0.0);
                for (grad, x) in planes.iter().zip(self.planes(x, c)) {
                    let [s, p] = dispatch(Reduce {
                        x,
                        grad,
                        line,
                        slope: self.slope,
                    });
                    of_beta += f64::from(s);
                    of_gamma += f64::from(p);
                }
                let of_gamma = of_gamma * f64::from(line.inverse);
                let (of_beta, of_gamma) = (of_beta as f32, of_gamma as f32);
                if wanted[0] {
                    let [lift, tilt] = match self.fixed {
                        Some(_) => [0.0, 0.0],
                        None => [of_beta / count, of_gamma * line.inverse / count],
                    };
                    for (grad, x) in planes.iter_mut().zip(self.planes(x, c)) {
                        dispatch(Propagate {
                            x,
                            grad,
                            line,
                            slope: self.slope,
                            lift,
                            tilt,
                        });
                    }
                }
                (of_gamma, of_beta)
            })
            .collect();
        let (of_gamma, of_beta): (Vec<f32>, Vec<f32>) = sums.into_iter().unzip();
        let channels = [self.dims[1]];
        [
            wanted[0].then_some(grad),
            wanted[1].then(|| Array::from_vec(of_gamma, channels)),
            wanted[2].then(|| Array::from_vec(of_beta, channels)),
        ]
    }
}

/// Sum of (x - centre) and of its square.
struct Moments<'a> {
    values: &'a [f32],
    centre: f32,
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
struct Apply<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
    line: Line,
    slope: f32,
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
            store::<S>(out, simd.select_f32s(negative, simd.mul_f32s(y, vslope), y));
        }
        for (x, out) in x_rest.iter().zip(out_rest) {
            let y = x.mul_add(scale, shift);
            *out = if y < 0.0 { y * self.slope } else { y };
        }
    }
}

/// Sum of g and of g (x - mean), where g is the gradient before the activation.
struct Reduce<'a> {
    x: &'a [f32],
    grad: &'a [f32],
    line: Line,
    slope: f32,
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
struct Propagate<'a> {
    x: &'a [f32],
    grad: &'a mut [f32],
    line: Line,
    slope: f32,
    lift: f32,
    tilt: f32,
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
