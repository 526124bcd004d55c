//! The fused operations against burn's own, forward and all gradients.

mod exact;
mod pointwise;
mod sets;

use std::cell::RefCell;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Distribution, Gradients, Int, Tensor, TensorData};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Normal};
use retinamark::ops;

fn training_device() -> Device {
    Device::flex().autodiff()
}

/// Numbers around 0.1, the same in every run of a test: which of two neighbours of a kink a sum falls
/// on, and how much of a small sum is rounding, is no matter of luck then.
fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    thread_local! {
        static NUMBERS: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(seed()));
    }
    let numbers = NUMBERS.with_borrow_mut(|rng| {
        let normal = Normal::new(0.1f32, 1.0).unwrap();
        (0..shape.iter().product::<usize>())
            .map(|_| normal.sample(rng))
            .collect::<Vec<f32>>()
    });
    Tensor::from_data(TensorData::new(numbers, shape), &training_device())
}

/// Of the test that runs on this thread.
fn seed() -> u64 {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default().bytes();
    name.fold(7, |seed: u64, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    })
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// Largest difference, relative to the largest value.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
    let worst = a.iter().zip(b).fold(0.0_f32, |m, (a, b)| {
        assert!(a.is_finite() && b.is_finite());
        m.max((a - b).abs())
    });
    worst / largest
}

fn assert_close(what: &str, a: &[f32], b: &[f32]) {
    let distance = distance(a, b);
    assert!(distance < 1e-4, "{what}: relative difference {distance}");
}

/// The output, and the gradients of `sum(output * weight)`.
fn backward<const D: usize>(y: Tensor<D>, weight: &Tensor<D>) -> (Vec<f32>, Gradients) {
    let grads = (y.clone() * weight.clone()).sum().backward();
    (values(y), grads)
}

fn same_gradient<const D: usize>(what: &str, x: &Tensor<D>, a: &Gradients, b: &Gradients) {
    let [a, b] = [a, b].map(|grads| values(x.grad(grads).expect("a gradient")));
    assert_close(what, &a, &b);
}

fn check_conv(conv: &Conv2d, shape: [usize; 4]) {
    let x = random(shape).require_grad();
    let plain = conv.forward(x.clone());
    let weight = random(plain.dims());
    let (expected, stock) = backward(plain, &weight);
    let (found, fused) = backward(ops::conv2d(conv, x.clone()), &weight);
    assert_close("output", &found, &expected);
    same_gradient("input gradient", &x, &fused, &stock);
    same_gradient("weight gradient", &conv.weight.val(), &fused, &stock);
    if let Some(bias) = &conv.bias {
        same_gradient("bias gradient", &bias.val(), &fused, &stock);
    }
}

fn conv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    pad: usize,
    groups: usize,
    bias: bool,
) -> Conv2d {
    let mut conv = Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_groups(groups)
        .with_bias(bias)
        .init(&training_device());
    let fan_in = (channels[0] / groups * kernel * kernel) as f32;
    conv.weight = conv.weight.map(|w| small(w.dims(), fan_in));
    conv.bias = conv.bias.map(|bias| bias.map(|b| small(b.dims(), fan_in)));
    conv
}

fn small<const D: usize>(shape: [usize; D], fan_in: f32) -> Tensor<D> {
    (random(shape) / fan_in.sqrt()).detach().require_grad()
}

#[test]
fn convolutions_of_the_model_match() {
    for (c, o, k, s, p, groups) in [
        (3, 8, 3, 2, 1, 1),
        (64, 64, 3, 1, 1, 1),
        (16, 32, 1, 1, 0, 1),
        (64, 4, 1, 1, 0, 1),
        (32, 32, 3, 1, 1, 32),
        (32, 32, 3, 2, 1, 32),
        (8, 12, 3, 2, 1, 2),
    ] {
        for side in [[20, 20], [13, 7], [1, 1]] {
            check_conv(
                &conv([c, o], k, s, p, groups, true),
                [2, c, side[0], side[1]],
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(3), ..ProptestConfig::with_cases(48) })]

    #[test]
    fn dense_convolution_matches(
        batch in 1usize..4, c in 1usize..20, o in 1usize..20,
        h in 1usize..24, w in 1usize..24, k in 1usize..6, stride in 1usize..4,
        pad in 0usize..5, bias: bool,
    ) {
        let pad = pad.min(k - 1);
        prop_assume!(h + 2 * pad >= k && w + 2 * pad >= k);
        check_conv(&conv([c, o], k, stride, pad, 1, bias), [batch, c, h, w]);
    }

    #[test]
    fn depthwise_convolution_matches(
        batch in 1usize..4, c in 2usize..20, h in 1usize..40, w in 1usize..40,
        k in 1usize..6, stride in 1usize..4, pad in 0usize..5, bias: bool,
    ) {
        let pad = pad.min(k - 1);
        prop_assume!(h + 2 * pad >= k && w + 2 * pad >= k);
        check_conv(&conv([c, c], k, stride, pad, c, bias), [batch, c, h, w]);
    }

    #[test]
    fn grouped_convolution_falls_back(c in 1usize..5, o in 1usize..5, side in 3usize..12) {
        check_conv(&conv([2 * c, 2 * o], 3, 1, 1, 2, true), [2, 2 * c, side, side]);
    }

    #[test]
    fn batch_norm_matches(
        batch in 1usize..5, c in 1usize..20, h in 1usize..30, w in 1usize..30, act in 0usize..3,
        frozen: bool,
    ) {
        prop_assume!(batch * h * w > 3);
        check_norm([batch, c, h, w], [None, Some(0.0), Some(0.1)][act], frozen);
    }
}

fn norm(channels: usize) -> BatchNorm {
    let mut norm = BatchNormConfig::new(channels).init(&training_device());
    norm.gamma = norm.gamma.map(|g| random(g.dims()).detach().require_grad());
    norm.beta = norm.beta.map(|b| random(b.dims()).detach().require_grad());
    norm
}

fn check_norm(shape: [usize; 4], slope: Option<f32>, frozen: bool) {
    let mut norm = norm(shape[1]);
    if frozen {
        norm.training = burn::module::Param::from_bool(false);
    }
    let x = (random(shape) * 2.0 + 1.0).detach().require_grad();
    let plain = norm.forward(x.clone());
    // At the kink of the activation a rounding decides about the gradient.
    let kink = plain.clone().detach().abs().lower_elem(1e-3);
    let weight = random(shape).mask_fill(kink, 0.0);
    let plain = slope.map_or(plain.clone(), |slope| {
        burn::tensor::activation::leaky_relu(plain, f64::from(slope))
    });
    let (expected, stock) = backward(plain, &weight);
    let (found, fused) = backward(ops::batch_norm_act(&norm, x.clone(), slope), &weight);
    assert_close("output", &found, &expected);
    let largest = values(weight).iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let [a, b] = [&fused, &stock].map(|grads| values(x.grad(grads).expect("a gradient")));
    // Input gradients cancel where one channel has few values: compare at the scale of the terms.
    let worst = a
        .iter()
        .zip(&b)
        .fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(worst / largest < 1e-4, "input gradient: difference {worst}");
    same_gradient("gamma gradient", &norm.gamma.val(), &fused, &stock);
    same_gradient("beta gradient", &norm.beta.val(), &fused, &stock);
}

#[test]
fn running_statistics_follow_pytorch() {
    let norm = BatchNormConfig::new(1).init(&training_device());
    let x = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 6.0], &training_device());
    ops::batch_norm_act(&norm, x.reshape([2, 1, 1, 2]), Some(0.1));
    // Mean 3, unbiased variance 14 / 3, momentum 0.1.
    assert_close("mean", &values(norm.running_mean.value_sync()), &[0.3]);
    assert_close(
        "variance",
        &values(norm.running_var.value_sync()),
        &[0.9 + 1.4 / 3.0],
    );
}

#[test]
fn activation_of_a_convolution_matches() {
    for (groups, stride, side) in [(1, 1, 17), (1, 2, 9), (6, 1, 12), (6, 2, 5), (2, 1, 8)] {
        let conv = conv([6, 6], 3, stride, 1, groups, true);
        let x = random([2, 6, side, side + 1]).require_grad();
        let plain = burn::tensor::activation::leaky_relu(conv.forward(x.clone()), 0.1);
        let weight = random(plain.dims());
        let (expected, stock) = backward(plain, &weight);
        let (found, fused) = backward(ops::conv2d_act(&conv, x.clone(), 0.1), &weight);
        assert_close("output", &found, &expected);
        same_gradient("input gradient", &x, &fused, &stock);
        same_gradient("weight gradient", &conv.weight.val(), &fused, &stock);
    }
}

#[test]
fn single_images_are_split_into_bands() {
    // Without autodiff, as in detection.
    let device = Device::flex();
    for (channels, kernel, stride) in [([3, 8], 3, 2), ([16, 20], 3, 1), ([16, 4], 1, 1)] {
        let conv = Conv2dConfig::new(channels, [kernel; 2])
            .with_stride([stride; 2])
            .with_padding(PaddingConfig2d::Explicit(
                kernel / 2,
                kernel / 2,
                kernel / 2,
                kernel / 2,
            ))
            .init(&device);
        for side in [1, 2, 5, 33, 64] {
            let x = Tensor::random(
                [1, channels[0], side, side + 3],
                Distribution::Default,
                &device,
            );
            let expected = values(conv.forward(x.clone()));
            assert_close("output", &values(ops::conv2d(&conv, x)), &expected);
        }
    }
}

#[test]
fn inputs_in_use_keep_their_values() {
    let x = random([1, 2, 4, 4]);
    let before = values(x.clone());
    let _ = ops::leaky_relu(x.clone(), 0.0);
    let _ = ops::upsample_add(random([1, 2, 2, 2]), x.clone());
    assert_eq!(values(x), before);
}

#[test]
fn unusual_layouts_are_read_correctly() {
    let conv = conv([4, 5], 3, 1, 1, 1, true);
    let x = random([3, 9, 4, 8])
        .permute([0, 2, 1, 3])
        .slice([1..3, 0..4, 2..9, 1..7]);
    assert_close(
        "output",
        &values(ops::conv2d(&conv, x.clone())),
        &values(conv.forward(x)),
    );
}
