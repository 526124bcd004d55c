//! Each optimiser over several steps with different gradients, against the numbers of others.

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

/// `torch.optim.RMSprop(lr=.01, alpha=.9, eps=1e-3, momentum=.5 or 0, weight_decay=.1)`
#[test]
fn rmsprop_as_pytorch_computes_it() {
    let of = |momentum| {
        OptimizerKind::RmsProp(RmsProp {
            alpha: 0.9,
            momentum,
            epsilon: 1e-3,
        })
    };
    let first = [
        0.468_472_18,
        -0.968_543,
        1.968_825_3,
        0.218_410_25,
        0.068_625_264,
        -0.268_427_16,
    ];
    let expected = [
        first,
        [
            0.480_838_33,
            -0.936_436_95,
            1.923_075_8,
            0.202_363_97,
            0.022_343_46,
            -0.257_571_28,
        ],
        [
            0.481_809_77,
            -0.942_191_66,
            1.896_027_7,
            0.205_036_83,
            0.003_462_721_6,
            -0.266_124_37,
        ],
    ];
    follow_three(of(0.5), 0.1, 0.01, expected);
    let expected = [
        first,
        [
            0.496_602_24,
            -0.952_165_4,
            1.938_663_1,
            0.218_158_84,
            0.038_030_826,
            -0.273_357_7,
        ],
        [
            0.491_367_64,
            -0.973_943_6,
            1.934_420_6,
            0.228_839_58,
            0.042_290_99,
            -0.287_338_73,
        ],
    ];
    follow_three(of(0.0), 0.1, 0.01, expected);
}

/// `torch.optim.Adagrad(lr=.1, initial_accumulator_value=.1, eps=1e-3, weight_decay=.1)`
#[test]
fn adagrad_as_pytorch_computes_it() {
    let kind = OptimizerKind::Adagrad(Adagrad {
        initial_sum: 0.1,
        epsilon: 1e-3,
    });
    let expected = [
        [
            0.404_335_47,
            -0.911_665_1,
            1.943_038_7,
            0.150_574_65,
            0.021_707_08,
            -0.201_275_8,
        ],
        [
            0.491_561_9,
            -0.866_786_96,
            1.855_706_5,
            0.150_046_89,
            -0.072_912_36,
            -0.215_924_6,
        ],
        [
            0.476_204_3,
            -0.929_563_5,
            1.845_005,
            0.180_846_81,
            -0.060_395_71,
            -0.256_155_85,
        ],
    ];
    follow_three(kind, 0.1, 0.1, expected);
}

/// `torch.optim.Adadelta(lr=1, rho=.8, eps=1e-3, weight_decay=.1)`
#[test]
fn adadelta_as_pytorch_computes_it() {
    let kind = OptimizerKind::Adadelta(Adadelta {
        rho: 0.8,
        epsilon: 1e-3,
    });
    let expected = [
        [
            0.429_449_1,
            -0.929_775_3,
            1.932_681_1,
            0.179_308_62,
            0.030_368_94,
            -0.229_333_49,
        ],
        [
            0.519_456_15,
            -0.876_436_2,
            1.839_208_8,
            0.178_609_3,
            -0.066_061_46,
            -0.245_855_32,
        ],
        [
            0.496_158_57,
            -0.955_655_2,
            1.822_296_6,
            0.214_267_64,
            -0.046_738_625,
            -0.292_522_8,
        ],
    ];
    follow_three(kind, 0.1, 1.0, expected);
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

/// The penalty's gradient is that of the penalty, enters once however many micro-batches a step
/// has, and only kernels are penalised.
#[test]
fn regularisers_pull_kernels_to_zero() {
    let model = small();
    let regularizer = Regularizer { l1: 0.25, l2: 0.5 };
    let config = OptimizerConfig {
        regularizer,
        ..plain_sgd()
    };
    let mut with = Optimizer::new(&config, &model);
    let mut without = Optimizer::new(&plain_sgd(), &model);
    assert_eq!(without.penalty(), None);
    let before = with.values().to_vec();
    let expected: f32 = before[..4]
        .iter()
        .map(|w| 0.25 * w.abs() + 0.5 * w * w)
        .sum();
    assert!((with.penalty().unwrap() as f32 - expected).abs() < 1e-6);
    for optimizer in [&mut with, &mut without] {
        for scale in [1.0, 3.0] {
            optimizer.accumulate(&model, &gradients(&model, scale));
        }
        optimizer.step(model.clone(), 0.1);
    }
    for entry in Layout::of(&model).entries() {
        for i in entry.range() {
            let pull = match entry.kind {
                Kind::Decayed => 0.25 * before[i].signum() + 2.0 * 0.5 * before[i],
                _ => 0.0,
            };
            let difference = without.values()[i] - with.values()[i];
            assert!((difference - 0.1 * pull).abs() < 1e-6, "{} {i}", entry.name);
        }
    }
}

#[test]
fn a_weight_of_zero_is_pulled_to_neither_side() {
    let model = small();
    let layout = Layout::of(&model);
    let model = layout.write_learned(model, &vec![0.0; layout.len()]);
    let config = OptimizerConfig {
        regularizer: Regularizer { l1: 1.0, l2: 0.0 },
        ..plain_sgd()
    };
    let mut optimizer = Optimizer::new(&config, &model);
    optimizer.accumulate(&model, &gradients(&model, 1.0));
    let plain = flat_gradients(&model, 1.0);
    optimizer.step(model, 1.0);
    let moved: Vec<f32> = optimizer.values()[..4].iter().map(|w| -w).collect();
    close(&moved, &plain[..4], 1e-6);
}

#[test]
fn a_state_of_another_kind_or_model_is_refused() {
    let model = small();
    let adam = Optimizer::new(&OptimizerConfig::default(), &model);
    let (values, state) = (adam.values().to_vec(), adam.state().clone());
    let error = Optimizer::new(&plain_sgd(), &model)
        .restore(values.clone(), state.clone())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("first, second") && error.contains("velocity"),
        "{error}"
    );
    let mut same = Optimizer::new(&OptimizerConfig::default(), &model);
    assert!(same.restore(values[1..].to_vec(), state.clone()).is_err());
    // The order in which slots are stored does not matter.
    let mut turned = state.clone();
    turned.slots.reverse();
    turned.slots[0].values[0] = 7.0;
    same.restore(values, turned).unwrap();
    assert_eq!(same.state().slots[1].name, "second");
    assert_eq!(same.state().slots[1].values[0], 7.0);
}
