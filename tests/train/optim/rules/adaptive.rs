//! Rules that divide by what gradients have been.

use super::*;

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
