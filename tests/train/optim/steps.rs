//! Several steps of an optimiser: what one leaves for the next.

use burn::module::Module;
use burn::nn::LinearConfig;
use burn::tensor::Device;
use retinamark::config::{OptimizerConfig, OptimizerKind, Sgd};
use retinamark::optim::{Layout, Optimizer};

use super::{close, flat_gradients, gradients, gradients_of, norm, plain_sgd, small};

/// `torch.optim.SGD([{weight, weight_decay=.25}, {bias, weight_decay=0}], momentum=.75)` of PyTorch
/// 1.13 on the CPU, with these gradients and learning rates, gave these weights and biases.
#[test]
fn three_sgd_steps_as_pytorch_computes_them() {
    let model = LinearConfig::new(2, 2).init(&Device::flex().autodiff());
    let layout = Layout::of(&model);
    let model = layout.write(model, &[0.5, -1.25, 2.0, -0.75, 1.5, -0.5]);
    let config = OptimizerConfig {
        kind: OptimizerKind::Sgd(Sgd {
            momentum: 0.75,
            nesterov: false,
        }),
        weight_decay: 0.25,
        ..plain_sgd()
    };
    let mut optimizer = Optimizer::new(&config, &model);
    for (rate, weight, bias, expected) in [
        (
            0.125,
            [[0.5, -0.25], [2.0, 0.125]],
            [-1.0, 0.75],
            [
                0.421_875,
                -1.179_687_5,
                1.6875,
                -0.742_187_5,
                1.625,
                -0.59375,
            ],
        ),
        (
            0.0625,
            [[-1.5, 0.5], [0.25, 0.0]],
            [-0.125, 4.0],
            [
                0.479_736_33,
                -1.166_137_7,
                1.528_320_3,
                -0.727_661_1,
                1.679_687_5,
                -0.878_906_25,
            ],
        ),
        (
            0.25,
            [[0.25, 3.0], [-1.0, 0.5]],
            [0.5, -0.25],
            [
                0.560_836_8,
                -1.802_604_7,
                1.205_261_2,
                -0.763_603_2,
                1.71875,
                -1.671_875,
            ],
        ),
    ] {
        optimizer.accumulate(&model, &gradients_of(&model, weight, bias));
        optimizer.step(model.clone(), rate);
        close(optimizer.values(), &expected, 1e-6);
    }
}

#[test]
fn the_norm_is_that_of_the_average() {
    let model = small();
    let expected = norm(&flat_gradients(&model, 1.0));
    let config = OptimizerConfig {
        clip_norm: expected * 1.5,
        ..plain_sgd()
    };
    let mut optimizer = Optimizer::new(&config, &model);
    let before = optimizer.values().to_vec();
    for _ in 0..4 {
        optimizer.accumulate(&model, &gradients(&model, 1.0));
    }
    let (_, found) = optimizer.step(model.clone(), 1.0);
    assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    // The sum of the four is above the limit, their average is not: nothing is clipped.
    let moved: Vec<f32> = (before.iter().zip(optimizer.values()))
        .map(|(a, b)| a - b)
        .collect();
    close(&moved[..10], &flat_gradients(&model, 1.0)[..10], 1e-5); // not the statistics
}

#[test]
fn what_was_frozen_after_a_step_rests_in_the_next() {
    let mut model = small();
    let mut optimizer = Optimizer::new(&OptimizerConfig::default(), &model);
    optimizer.accumulate(&model, &gradients(&model, 1.0));
    (model, _) = optimizer.step(model, 0.1);
    let before = optimizer.values().to_vec();
    model.linear = model.linear.freeze();
    optimizer.accumulate(&model, &gradients(&model, 1.0));
    optimizer.step(model, 0.1);
    // Adam would go on with the momentum of the step before.
    assert_eq!(optimizer.values()[..6], before[..6]); // weight and bias
    assert_ne!(optimizer.values()[6..8], before[6..8]); // gamma
    assert_eq!(optimizer.state().updates, [1, 1, 2, 2, 0, 0]);
}

#[test]
fn only_statistics_are_read_as_such() {
    let model = small();
    let layout = Layout::of(&model);
    let mut values = vec![7.0; layout.len()];
    layout.read_statistics(&model, &mut values);
    assert_eq!(values[..10], [7.0; 10]);
    assert_eq!(values[10..], [0.0, 0.0, 1.0, 1.0]); // mean and variance of a new norm
}
