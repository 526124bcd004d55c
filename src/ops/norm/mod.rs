//! Batch norm with its activation, in one pass over memory per direction: a channel's planes are
//! read for the statistics and again, from the cache, for the result.

mod loops;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use burn::nn::BatchNorm;
use burn::tensor::{Tensor, TensorData, module};
use rayon::prelude::*;

use super::fused::{Array, Kernel, run3};
use super::scratch::written;
use super::simd::dispatch;
use loops::{Apply, Line, Moments, Propagate, Reduce};

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
            mean: own_numbers(norm.running_mean.value_sync()),
            variance: own_numbers(norm.running_var.value_sync()),
        }),
        found: Arc::clone(&found),
    };
    let out = run3(kernel, x, norm.gamma.val(), norm.beta.val());
    if let Some(Statistics { mean, variance }) = found.get() {
        let device = norm.running_mean.value().device();
        let [mean, variance] = [mean, variance].map(|numbers| {
            let data = TensorData::new(numbers.clone(), [dims[1]]);
            Tensor::from_data(data, &device)
        });
        update_running(norm, mean, variance, dims[0] * dims[2] * dims[3]);
    }
    out
}

/// Batch norm by burn's own operations, with the running averages of [`batch_norm_act`].
pub(super) fn plain(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    if !(x.device().is_autodiff() && norm.training.is_enabled()) {
        return norm.forward(x);
    }
    let [batch, _, height, width] = x.dims();
    let result = module::batch_norm_train(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
    let [mean, variance] = [result.mean, result.variance].map(Tensor::detach);
    update_running(norm, mean, variance, batch * height * width);
    result.output
}

/// The numbers of a tensor on `flex`, whose memory is the program's own: nothing is waited for.
fn own_numbers(x: Tensor<1>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// Running averages as PyTorch keeps them, on the device: the variance that enters is the unbiased one
/// (burn's own batch norm takes the biased).
fn update_running(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>, count: usize) {
    let momentum = norm.momentum as f32;
    let unbiased = count as f32 / count.saturating_sub(1).max(1) as f32;
    let blend = |running: Tensor<1>, new: Tensor<1>, factor: f32| {
        let (running, new) = (running.without_autodiff(), new.without_autodiff());
        running * (1.0 - momentum) + new * (momentum * factor)
    };
    let [mean, variance] = [
        blend(norm.running_mean.value_sync(), mean, 1.0),
        blend(norm.running_var.value_sync(), variance, unbiased),
    ]
    .map(Tensor::from_inner);
    norm.running_mean.update(mean);
    norm.running_var.update(variance);
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
    fn by_channel<'a, T>(&self, values: &'a mut [T]) -> Vec<Vec<&'a mut [T]>> {
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

    fn forward(&self, [x, gamma, beta]: &mut [Array; 3]) -> Array {
        let (x, gamma, beta) = (x.values(), gamma.values(), beta.values());
        let apply = |(c, planes): (usize, Vec<&mut [MaybeUninit<f32>]>)| {
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
        };
        let mut statistics = Vec::new();
        // SAFETY: `apply` writes every plane of every channel.
        let out = unsafe {
            written(x.len(), |out| {
                let channels = self.by_channel(out).into_par_iter().enumerate();
                statistics = channels.map(apply).collect();
            })
        };
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
