//! Optimisers, schedules and the moving average against numbers worked out by hand.

mod rules;
mod schedules;
mod steps;

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use retinamark::config::{AdamW, OptimizerConfig, OptimizerKind, Sgd};
use retinamark::optim::{Ema, Entry, Gradients, Kind, Layout, Optimizer};

#[derive(Module, Debug)]
struct Small {
    linear: Linear,
    norm: BatchNorm,
}

fn small() -> Small {
    let device = Device::flex().autodiff();
    Small {
        linear: LinearConfig::new(2, 2).init(&device),
        norm: BatchNormConfig::new(2).init(&device),
    }
}

/// Mean square of the output for one fixed input, times `scale`.
fn gradients(model: &Small, scale: f32) -> GradientsParams {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::from_data([[1.0, 2.0], [-0.5, 0.25], [3.0, -1.0]], &device);
    let y = model.norm.forward(model.linear.forward(x));
    let target = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 2.0], [0.5, 0.5]], &device);
    let loss = (y - target).powi_scalar(2).mean().mul_scalar(scale);
    GradientsParams::from_grads(loss.backward(), model)
}

fn flat_gradients(model: &Small, scale: f32) -> Vec<f32> {
    read(&Layout::of(model), model, &gradients(model, scale)).0
}

/// Gradients in the places of a layout, and which of its tensors have some.
pub fn read<M: Module>(
    layout: &Layout,
    model: &M,
    gradients: &GradientsParams,
) -> (Vec<f32>, Vec<bool>) {
    let mut sums = Gradients::none(layout);
    sums.add(layout, model, gradients);
    let (mut values, mut flat) = (vec![0.0; layout.len()], vec![0.0; layout.len()]);
    let touched = sums.read(layout, model, &mut values, &mut flat);
    (flat, touched)
}

/// The tensors that learn: running statistics are those of forward passes, which clones share.
pub fn learned(layout: &Layout) -> impl Iterator<Item = &Entry> {
    let entries = layout.entries().iter();
    entries.filter(|entry| entry.kind != Kind::Statistic)
}

fn norm(numbers: &[f32]) -> f32 {
    numbers.iter().map(|n| n * n).sum::<f32>().sqrt()
}

fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance, "number {i}: {a} and {b}");
    }
}

fn plain_sgd() -> OptimizerConfig {
    OptimizerConfig {
        kind: OptimizerKind::Sgd(Sgd {
            momentum: 0.0,
            ..Sgd::default()
        }),
        weight_decay: 0.0,
        clip_norm: 0.0,
        ..OptimizerConfig::default()
    }
}

#[test]
fn only_kernels_decay_and_statistics_do_not_learn() {
    let layout = Layout::of(&small());
    let kinds: Vec<(&str, Kind)> = layout
        .entries()
        .iter()
        .map(|e| (e.name.as_str(), e.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("linear.weight", Kind::Decayed),
            ("linear.bias", Kind::Plain),
            ("norm.gamma", Kind::Plain),
            ("norm.beta", Kind::Plain),
            ("norm.running_mean", Kind::Statistic),
            ("norm.running_var", Kind::Statistic),
        ]
    );
}

#[test]
fn weight_decay_moves_kernels_only() {
    let model = small();
    let config = OptimizerConfig {
        weight_decay: 0.5,
        ..OptimizerConfig::default()
    };
    let mut with = Optimizer::new(&config, &model);
    let mut without = Optimizer::new(
        &OptimizerConfig {
            weight_decay: 0.0,
            ..config
        },
        &model,
    );
    let before = with.values().to_vec();
    for optimizer in [&mut with, &mut without] {
        optimizer.accumulate(&model, &gradients(&model, 1.0));
        optimizer.step(model.clone(), 0.1);
    }
    let layout = Layout::of(&model);
    for entry in learned(&layout) {
        for i in entry.range() {
            let decay = match entry.kind {
                Kind::Decayed => 0.1 * 0.5 * before[i],
                _ => 0.0,
            };
            let difference = without.values()[i] - with.values()[i];
            assert!((difference - decay).abs() < 1e-6, "{} {i}", entry.name);
        }
    }
}

/// Gradients that are exactly `weight` and `bias`, whatever the weights are.
fn gradients_of(model: &Linear, weight: [[f32; 2]; 2], bias: [f32; 2]) -> GradientsParams {
    let device = Device::flex().autodiff();
    let pull = model.weight.val() * Tensor::<2>::from_data(weight, &device);
    let own = model.bias.as_ref().unwrap().val() * Tensor::<1>::from_data(bias, &device);
    GradientsParams::from_grads((pull.sum() + own.sum()).backward(), model)
}

/// `torch.optim.AdamW([{weight, weight_decay=.1}, {bias, weight_decay=0}], lr=.01, betas=(.8, .95),
/// eps=1e-3)` of PyTorch 1.13 on the CPU, with these gradients, gave these weights and biases.
#[test]
fn three_adamw_steps_as_pytorch_computes_them() {
    let device = Device::flex().autodiff();
    let model: Linear = LinearConfig::new(2, 2).init(&device);
    let layout = Layout::of(&model);
    let model = layout.write(model, &[0.5, -1.0, 2.0, 0.25, 0.1, -0.3]);
    let config = OptimizerConfig {
        kind: OptimizerKind::AdamW(AdamW {
            betas: [0.8, 0.95],
            epsilon: 1e-3,
        }),
        weight_decay: 0.1,
        clip_norm: 0.0,
        ..OptimizerConfig::default()
    };
    let mut optimizer = Optimizer::new(&config, &model);
    for (weight, bias, expected) in [
        (
            [[1.0, -0.5], [0.02, 3.0]],
            [0.4, -2.0],
            [
                0.489_51,
                -0.989_02,
                1.988_476_3,
                0.239_753_34,
                0.090_024_94,
                -0.290_005,
            ],
        ),
        (
            [[-2.0, -0.25], [0.5, 0.001]],
            [1.5, 0.3],
            [
                0.493_202_18,
                -0.978_847_8,
                1.978_51,
                0.233_146_41,
                0.080_922_9,
                -0.284_895_18,
            ],
        ),
        (
            [[0.3, 0.7], [-0.1, -1.0]],
            [-0.2, 0.9],
            [
                0.494_794_2,
                -0.979_281_55,
                1.972_197_3,
                0.230_804_2,
                0.075_223_75,
                -0.284_439,
            ],
        ),
    ] {
        optimizer.accumulate(&model, &gradients_of(&model, weight, bias));
        optimizer.step(model.clone(), 0.01);
        close(optimizer.values(), &expected, 1e-6);
    }
}

#[test]
fn gradients_are_clipped_by_their_norm_taken_together() {
    let model = small();
    let config = OptimizerConfig {
        clip_norm: 0.25,
        ..plain_sgd()
    };
    let flat = flat_gradients(&model, 100.0);
    assert!(norm(&flat) > 1.0);
    let mut optimizer = Optimizer::new(&config, &model);
    let before = optimizer.values().to_vec();
    optimizer.accumulate(&model, &gradients(&model, 100.0));
    let (_, measured) = optimizer.step(model.clone(), 1.0);
    assert!((measured / norm(&flat) - 1.0).abs() < 1e-5);
    let moved: Vec<f32> = before
        .iter()
        .zip(optimizer.values())
        .map(|(a, b)| a - b)
        .collect();
    assert!((norm(&moved) - 0.25).abs() < 1e-4);
    let factor = 0.25 / norm(&flat);
    let expected: Vec<f32> = flat.iter().map(|g| g * factor).collect();
    close(&moved, &expected, 1e-5); // one factor for all tensors
}

#[test]
fn micro_batches_are_averaged() {
    let model = small();
    let mut one = Optimizer::new(&plain_sgd(), &model);
    one.accumulate(&model, &gradients(&model, 2.0));
    one.step(model.clone(), 0.1);
    let mut two = Optimizer::new(&plain_sgd(), &model);
    two.accumulate(&model, &gradients(&model, 1.0));
    two.accumulate(&model, &gradients(&model, 3.0));
    assert_eq!(two.pending(), 2);
    two.step(model.clone(), 0.1);
    assert_eq!(two.pending(), 0);
    close(&one.values()[..10], &two.values()[..10], 1e-6); // not the statistics
}

#[test]
fn frozen_tensors_and_bad_gradients_change_nothing() {
    let mut model = small();
    model.linear = model.linear.freeze();
    let mut optimizer = Optimizer::new(&OptimizerConfig::default(), &model);
    let before = optimizer.values().to_vec();
    optimizer.accumulate(&model, &gradients(&model, 1.0));
    let (model, _) = optimizer.step(model, 0.1);
    assert_eq!(optimizer.values()[..6], before[..6]); // weight and bias
    assert_ne!(optimizer.values()[6..8], before[6..8]); // gamma
    assert_eq!(optimizer.state().updates, [0, 0, 1, 1, 0, 0]);

    let before = optimizer.values().to_vec();
    optimizer.accumulate(&model, &gradients(&model, f32::NAN));
    let (_, norm) = optimizer.step(model, 0.1);
    assert!(norm.is_nan());
    assert_eq!(optimizer.values()[..10], before[..10]); // not the statistics
}

#[test]
fn weights_reach_the_model_and_come_back() {
    let model = small();
    let layout = Layout::of(&model);
    let numbers: Vec<f32> = (0..layout.len()).map(|i| i as f32).collect();
    let model = layout.write(model, &numbers);
    let mut read = vec![0.0; layout.len()];
    layout.read(&model, &mut read);
    assert_eq!(read, numbers);
    assert!(model.linear.weight.is_require_grad());
    let model = layout.write_learned(model, &vec![0.0; layout.len()]);
    layout.read(&model, &mut read);
    assert_eq!(read[..10], [0.0; 10]);
    assert_eq!(read[10..], numbers[10..]); // statistics stay
}

#[test]
fn the_average_warms_up_and_then_follows_its_decay() {
    let mut ema = Ema::new(0.5, vec![1.0]);
    assert!((ema.decay_at(0) - 0.1).abs() < 1e-12);
    assert!((ema.decay_at(3) - 4.0 / 13.0).abs() < 1e-12);
    assert!((ema.decay_at(1000) - 0.5).abs() < 1e-12);
    ema.update(&[2.0]); // 0.1 * 1 + 0.9 * 2
    close(ema.values(), &[1.9], 1e-6);
    ema.update(&[3.0]); // 2/11 * 1.9 + 9/11 * 3
    close(ema.values(), &[2.8], 1e-6);
    assert_eq!(ema.updates(), 2);
    let mut none = Ema::new(0.0, vec![1.0]);
    none.update(&[7.0]);
    close(none.values(), &[7.0], 0.0);
}
