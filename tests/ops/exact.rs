//! The fused operations against finite differences of f64 references, over many steps, and on
//! degenerate numbers.

use burn::module::Param;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{Gradients, Tensor, TensorData};
use retinamark::ops;

use super::{conv, norm, random, training_device, values};

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| f64::from(v)).collect()
}

/// Sizes of a reference convolution with a 3x3 kernel and padding 1.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    ins: usize,
    outs: usize,
    side: [usize; 2],
    stride: usize,
    depthwise: bool,
}

/// Plain 3x3 convolution with padding 1 in f64: `[x, weight, bias]` -> output.
fn conv64(s: Sizes, [x, weight, bias]: [&[f64]; 3]) -> Vec<f64> {
    let [h, w] = s.side;
    let out = s.side.map(|n| (n - 1) / s.stride + 1);
    let per_filter = if s.depthwise { 1 } else { s.ins };
    let mut y = Vec::new();
    for b in 0..s.batch {
        for o in 0..s.outs {
            for (i, j) in (0..out[0]).flat_map(|i| (0..out[1]).map(move |j| (i, j))) {
                let mut sum = bias[o];
                for c in 0..per_filter {
                    let channel = if s.depthwise { o } else { c };
                    for (u, v) in (0..3).flat_map(|u| (0..3).map(move |v| (u, v))) {
                        let (row, column) = (i * s.stride + u, j * s.stride + v);
                        if (1..=h).contains(&row) && (1..=w).contains(&column) {
                            let at = ((b * s.ins + channel) * h + row - 1) * w + column - 1;
                            sum += x[at] * weight[((o * per_filter + c) * 3 + u) * 3 + v];
                        }
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

/// Batch norm of [batch, channels, plane] and leaky ReLU in f64.
fn norm64(channels: usize, plane: usize, slope: f64, [x, gamma, beta]: [&[f64]; 3]) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for c in 0..channels {
        let places: Vec<usize> = (0..x.len()).filter(|i| i / plane % channels == c).collect();
        let count = places.len() as f64;
        let mean = places.iter().map(|&i| x[i]).sum::<f64>() / count;
        let variance = places.iter().map(|&i| (x[i] - mean).powi(2)).sum::<f64>() / count;
        for &i in &places {
            let v = (x[i] - mean) / (variance + 1e-5).sqrt() * gamma[c] + beta[c];
            y[i] = v.max(slope * v);
        }
    }
    y
}

/// Compares gradients with central differences of `sum(reference * weight)` at spread places.
fn check_differences(
    reference: impl Fn([&[f64]; 3]) -> Vec<f64>,
    inputs: [Vec<f32>; 3],
    weight: &[f32],
    gradients: [Vec<f32>; 3],
) {
    let step = 1e-6;
    let exact = inputs.map(|x| wide(&x));
    for (which, gradient) in gradients.iter().enumerate() {
        let largest = gradient
            .iter()
            .fold(0.0_f64, |m, g| m.max(f64::from(g.abs())));
        for at in (0..gradient.len()).step_by(gradient.len().div_ceil(9)) {
            let loss = |sign: f64| {
                let mut moved = exact.clone();
                moved[which][at] += sign * step;
                let y = reference([&moved[0], &moved[1], &moved[2]]);
                y.iter()
                    .zip(weight)
                    .map(|(y, w)| y * f64::from(*w))
                    .sum::<f64>()
            };
            let slope = (loss(1.0) - loss(-1.0)) / (2.0 * step);
            let error = (slope - f64::from(gradient[at])).abs() / largest;
            assert!(
                error < 1e-4,
                "input {which} at {at}: {slope} against {}",
                gradient[at]
            );
        }
    }
}

fn gradient<const D: usize>(x: &Tensor<D>, grads: &Gradients) -> Vec<f32> {
    values(x.grad(grads).expect("a gradient"))
}

#[test]
fn convolutions_agree_with_finite_differences() {
    for (outs, stride, depthwise) in [(5, 1, false), (5, 2, false), (3, 1, true), (3, 2, true)] {
        let s = Sizes {
            batch: 2,
            ins: 3,
            outs,
            side: [7, 6],
            stride,
            depthwise,
        };
        let groups = if depthwise { s.ins } else { 1 };
        let conv = conv([s.ins, outs], 3, stride, 1, groups, true);
        let x = random([s.batch, s.ins, 7, 6]).require_grad();
        let bias = conv.bias.as_ref().expect("a bias").val();
        let y = ops::conv2d(&conv, x.clone());
        let weight = random(y.dims());
        let grads = (y * weight.clone()).sum().backward();
        let gradients = [
            gradient(&x, &grads),
            gradient(&conv.weight.val(), &grads),
            gradient(&bias, &grads),
        ];
        let inputs = [values(x), values(conv.weight.val()), values(bias)];
        check_differences(
            |inputs| conv64(s, inputs),
            inputs,
            &values(weight),
            gradients,
        );
    }
}

#[test]
fn batch_norm_agrees_with_finite_differences() {
    let norm = norm(3);
    let x = random([2, 3, 5, 4]).require_grad();
    let y = ops::batch_norm_act(&norm, x.clone(), Some(0.1));
    let weight = random(y.dims());
    let grads = (y * weight.clone()).sum().backward();
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    let gradients = [
        gradient(&x, &grads),
        gradient(&gamma, &grads),
        gradient(&beta, &grads),
    ];
    let inputs = [values(x), values(gamma), values(beta)];
    check_differences(
        |inputs| norm64(3, 20, 0.1, inputs),
        inputs,
        &values(weight),
        gradients,
    );
}

/// A small network that uses every kind of convolution.
#[derive(Clone)]
struct Net {
    stem: Conv2d,
    depthwise: Conv2d,
    pointwise: Conv2d,
    norms: Vec<BatchNorm>,
}

impl Net {
    fn new() -> Self {
        Self {
            stem: conv([3, 12], 3, 1, 1, 1, true),
            depthwise: conv([12, 12], 3, 2, 1, 12, true),
            pointwise: conv([12, 5], 1, 1, 0, 1, true),
            norms: vec![norm(12), norm(12)],
        }
    }

    fn forward(&self, x: Tensor<4>, fused: bool) -> Tensor<4> {
        let conv = |conv: &Conv2d, x| {
            if fused {
                ops::conv2d(conv, x)
            } else {
                conv.forward(x)
            }
        };
        let act = |norm: &BatchNorm, x: Tensor<4>| {
            if fused {
                return ops::batch_norm_act(norm, x, Some(0.1));
            }
            burn::tensor::activation::leaky_relu(norm.forward(x), 0.1)
        };
        let x = act(&self.norms[0], conv(&self.stem, x));
        let x = act(&self.norms[1], conv(&self.depthwise, x));
        conv(&self.pointwise, x)
    }

    /// One step of gradient descent on the squared distance to `target`.
    fn train(mut self, x: Tensor<4>, target: Tensor<4>, fused: bool) -> Self {
        let distance = self.forward(x, fused) - target;
        let grads = distance.powf_scalar(2.0).mean().backward();
        for conv in [&mut self.stem, &mut self.depthwise, &mut self.pointwise] {
            conv.weight = descend(&conv.weight, &grads);
            conv.bias = conv.bias.as_ref().map(|bias| descend(bias, &grads));
        }
        for norm in &mut self.norms {
            norm.gamma = descend(&norm.gamma, &grads);
            norm.beta = descend(&norm.beta, &grads);
        }
        self
    }

    fn weights(&self) -> Vec<f32> {
        let convs = [&self.stem, &self.depthwise, &self.pointwise];
        let kernels = convs.into_iter().flat_map(|conv| values(conv.weight.val()));
        let gammas = self.norms.iter().flat_map(|norm| values(norm.gamma.val()));
        let means = self
            .norms
            .iter()
            .flat_map(|norm| values(norm.running_mean.value_sync()));
        kernels.chain(gammas).chain(means).collect()
    }
}

fn descend<const D: usize>(weight: &Param<Tensor<D>>, grads: &Gradients) -> Param<Tensor<D>> {
    let value = weight.val();
    let dims = value.dims();
    let slopes = gradient(&value, grads);
    let moved: Vec<f32> = values(value)
        .iter()
        .zip(slopes)
        .map(|(value, slope)| value - 0.1 * slope)
        .collect();
    let moved = Tensor::from_data(TensorData::new(moved, dims), &training_device());
    Param::from_tensor(moved)
}

#[test]
fn twenty_steps_end_at_the_same_weights() {
    let start = Net::new();
    let (x, target) = (random([4, 3, 15, 18]), random([4, 5, 8, 9]));
    let run = |fused: bool| {
        let mut net = start.clone();
        // Running statistics are shared between clones of a module.
        net.norms = net
            .norms
            .iter()
            .map(|n| fresh_statistics(n.clone()))
            .collect();
        for _ in 0..20 {
            net = net.train(x.clone(), target.clone(), fused);
        }
        net.weights()
    };
    let (fused, stock, before) = (run(true), run(false), start.weights());
    let moved = super::distance(&before, &stock);
    assert!(moved > 0.02, "the weights moved by {moved} only");
    let apart = super::distance(&fused, &stock);
    assert!(apart < 1e-3, "relative difference {apart}");
}

fn fresh_statistics(norm: BatchNorm) -> BatchNorm {
    use burn::module::RunningState;
    let channels = norm.gamma.dims();
    let device = training_device();
    BatchNorm {
        running_mean: RunningState::new(Tensor::zeros(channels, &device)),
        running_var: RunningState::new(Tensor::ones(channels, &device)),
        ..norm
    }
}

#[test]
fn zeros_and_denormals_give_finite_numbers() {
    for value in [0.0_f32, 1e-40, -1e-38, f32::MIN_POSITIVE] {
        let x = Tensor::full([2, 3, 9, 7], value, &training_device()).require_grad();
        for (stride, groups) in [(1, 1), (2, 1), (1, 3), (2, 3)] {
            let conv = conv([3, 3], 3, stride, 1, groups, true);
            let norm = norm(3);
            let y = ops::batch_norm_act(&norm, ops::conv2d(&conv, x.clone()), Some(0.1));
            let y = ops::leaky_relu(y, 0.1);
            let grads = (y.clone() * value).sum().backward();
            let numbers = [
                values(y),
                gradient(&x, &grads),
                gradient(&conv.weight.val(), &grads),
                gradient(&norm.gamma.val(), &grads),
                values(norm.running_var.value_sync()),
            ];
            assert!(numbers.iter().flatten().all(|v| v.is_finite()));
        }
    }
}
