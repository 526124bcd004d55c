//! Each optimiser over several steps with different gradients, against the numbers of others.

mod adaptive;
mod regularisers;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use retinamark::config::{
    Adadelta, Adagrad, Adam, AngularGrad, Coefficient, Ftrl, OptimizerConfig, OptimizerKind,
    Regularizer, RmsProp, Sgd,
};
use retinamark::optim::{Kind, Layout, Optimizer};

use super::{close, flat_gradients, gradients, gradients_of, plain_sgd, small};

/// Gradients of a weight and a bias, and what both are afterwards.
type Row = ([[f32; 2]; 2], [f32; 2], [f32; 6]);

const WEIGHT: [[[f32; 2]; 2]; 3] = [
    [[1.0, -0.5], [0.02, 3.0]],
    [[-2.0, -0.25], [0.5, 0.001]],
    [[0.3, 0.7], [-0.1, -1.0]],
];
const BIAS: [[f32; 2]; 3] = [[0.4, -2.0], [1.5, 0.3], [-0.2, 0.9]];

fn start() -> Linear {
    let model = LinearConfig::new(2, 2).init(&Device::flex().autodiff());
    Layout::of(&model).write(model, &[0.5, -1.0, 2.0, 0.25, 0.1, -0.3])
}

fn follow(kind: OptimizerKind, weight_decay: f32, rate: f64, rows: &[Row]) {
    let name = format!("{kind:?}");
    let config = OptimizerConfig {
        kind,
        weight_decay,
        clip_norm: 0.0,
        ..OptimizerConfig::default()
    };
    let model = start();
    let mut optimizer = Optimizer::new(&config, &model);
    for (step, (weight, bias, expected)) in rows.iter().enumerate() {
        optimizer.accumulate(&model, &gradients_of(&model, *weight, *bias));
        optimizer.step(model.clone(), rate);
        for (got, want) in optimizer.values().iter().zip(expected) {
            assert!(
                (got - want).abs() < 2e-6,
                "{name}, step {step}: {got}, not {want}"
            );
        }
    }
}

/// [`follow`] with [`WEIGHT`] and [`BIAS`].
fn follow_three(kind: OptimizerKind, weight_decay: f32, rate: f64, expected: [[f32; 6]; 3]) {
    let rows: [Row; 3] = std::array::from_fn(|i| (WEIGHT[i], BIAS[i], expected[i]));
    follow(kind, weight_decay, rate, &rows);
}

// PyTorch 2.11 on the CPU gave these numbers, with weight_decay on the weight only.

/// `torch.optim.SGD(lr=.1, momentum=.75, nesterov=True, weight_decay=.25)`
#[test]
fn nesterov_momentum_as_pytorch_computes_it() {
    let kind = OptimizerKind::Sgd(Sgd {
        momentum: 0.75,
        nesterov: true,
    });
    let expected = [
        [0.303_125, -0.868_75, 1.909, -0.285_937_5, 0.03, 0.05],
        [
            0.576_582,
            -0.744_804_7,
            1.708_731_3,
            -0.445_868_37,
            -0.255,
            0.11,
        ],
        [
            0.559_632_9,
            -0.776_799_56,
            1.574_566_5,
            -0.376_596_1,
            -0.321_25,
            0.02,
        ],
    ];
    follow_three(kind, 0.25, 0.1, expected);
}

/// `torch.optim.Adam(lr=.01, betas=(.8, .95), eps=1e-3, weight_decay=.1)`
#[test]
fn adam_as_pytorch_computes_it() {
    let kind = OptimizerKind::Adam(Adam {
        betas: [0.8, 0.95],
        epsilon: 1e-3,
    });
    let expected = [
        [
            0.490_009_52,
            -0.990_016_64,
            1.990_045_3,
            0.240_003_3,
            0.090_024_94,
            -0.290_005,
        ],
        [
            0.493_919_22,
            -0.980_592_4,
            1.980_778_8,
            0.233_573_24,
            0.080_922_9,
            -0.284_895_18,
        ],
        [
            0.495_634_08,
            -0.980_120_1,
            1.973_117_5,
            0.231_341_08,
            0.075_223_76,
            -0.284_439,
        ],
    ];
    follow_three(kind, 0.1, 0.01, expected);
}

/// `keras.optimizers.Ftrl` of Keras 3.15, learning rate .1, initial accumulator .1: with its other
/// defaults, and with learning_rate_power=-.6, l1 .05, l2 .1 and beta .2. The penalty of absolute
/// values makes the third weight exactly zero.
#[test]
fn ftrl_as_keras_computes_it() {
    let expected = [
        [
            0.253_898_05,
            -0.380_962_1,
            -0.002_323_811,
            0.124_343_85,
            -0.040_463_81,
            -0.154_374_91,
        ],
        [
            0.342_459_53,
            -0.342_037_2,
            -0.086_790_98,
            0.124_310_7,
            -0.135_142_98,
            -0.169_030_87,
        ],
        [
            0.329_291,
            -0.415_721_4,
            -0.070_133_56,
            0.155_776_55,
            -0.122_618_49,
            -0.209_280_09,
        ],
    ];
    follow_three(OptimizerKind::Ftrl(Ftrl::default()), 0.0, 0.1, expected);
    let kind = OptimizerKind::Ftrl(Ftrl {
        power: -0.6,
        l1: 0.05,
        l2: 0.1,
        beta: 0.2,
        ..Ftrl::default()
    });
    let expected = [
        [
            0.233_672_04,
            -0.300_884_07,
            0.0,
            0.143_824_31,
            -0.023_368_31,
            -0.164_263_71,
        ],
        [
            0.303_166_6,
            -0.269_937_1,
            -0.060_815_975,
            0.143_799_2,
            -0.100_015_56,
            -0.175_881_42,
        ],
        [
            0.292_843,
            -0.330_266_12,
            -0.047_694_15,
            0.167_468_32,
            -0.089_881_66,
            -0.207_498_88,
        ],
    ];
    follow_three(kind, 0.0, 0.1, expected);
}

/// The formula of arXiv 2105.10190 in numpy, in 64 bits: rate .01, betas (.8, .95), epsilon 1e-3.
/// In the first step most angles of the weight are not above zero, in the third none are above the
/// smallest so far: then the coefficients change. Of the bias one of two angles is larger at first,
/// which is not fewer.
#[test]
fn angular_grad_as_its_formula_says() {
    let of = |coefficient| {
        OptimizerKind::AngularGrad(AngularGrad {
            betas: [0.8, 0.95],
            epsilon: 1e-3,
            coefficient,
        })
    };
    let weight = [
        [[0.0, 0.0], [0.0, 3.0]],
        [[-2.0, -0.25], [0.5, 0.001]],
        [[-2.0, -0.25], [0.5, -1.0]],
    ];
    let bias = [[0.0, -2.0], [0.0, 0.3], [0.0, 0.3]];
    let rows = |expected: [[f32; 6]; 3]| -> [Row; 3] {
        std::array::from_fn(|i| (weight[i], bias[i], expected[i]))
    };
    let cos = rows([
        [0.5, -1.0, 2.0, 0.243_479_27, 0.1, -0.295_011_16],
        [
            0.506_817_9,
            -0.993_286_97,
            1.993_227_5,
            0.239_325_57,
            0.1,
            -0.292_460_23,
        ],
        [
            0.514_664_1,
            -0.985_527_6,
            1.985_418_7,
            0.237_631_01,
            0.1,
            -0.290_146_7,
        ],
    ]);
    follow(of(Coefficient::Cos), 0.0, 0.01, &cos);
    let tan = rows([
        [0.5, -1.0, 2.0, 0.240_039_57, 0.1, -0.295_011_16],
        [
            0.503_870_3,
            -0.996_189_24,
            1.996_155_4,
            0.233_694_82,
            0.1,
            -0.292_460_23,
        ],
        [
            0.508_324_3,
            -0.991_784_45,
            1.991_722_7,
            0.231_837_98,
            0.1,
            -0.291_146_9,
        ],
    ]);
    follow(of(Coefficient::Tan), 0.0, 0.01, &tan);
}
