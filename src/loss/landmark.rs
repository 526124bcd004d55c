//! Landmark losses, element by element.

use burn::tensor::Tensor;

use crate::config::{LandmarkLossKind, LossConfig};

/// One of the landmark losses with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LandmarkLoss {
    /// `|d|`
    L1,
    /// `d^2 / 2`
    L2,
    /// `d^2 / 2` below 1, `|d| - 1/2` above.
    SmoothL1,
    /// Wing (Feng et al. 2018, eq. 5): `w ln(1 + |d| / e)` below `w`, `|d| - C` above, where
    /// `C = w - w ln(1 + w / e)` makes the two meet.
    Wing {
        /// Where the curve becomes a line.
        w: f32,
        /// Curvature.
        epsilon: f32,
    },
    /// SoftWing (Lin et al. 2021): `|d|` below `inner`, `outer ln(1 + |d| / e) + B` above, where
    /// `B = inner - outer ln(1 + inner / e)` makes the two meet.
    SoftWing {
        /// Where the line becomes a logarithm.
        inner: f32,
        /// Scale of the logarithm.
        outer: f32,
        /// Curvature.
        epsilon: f32,
    },
}

impl LandmarkLoss {
    /// The loss that the config picks.
    pub const fn new(config: &LossConfig) -> Self {
        match config.landmark {
            LandmarkLossKind::L1 => Self::L1,
            LandmarkLossKind::L2 => Self::L2,
            LandmarkLossKind::SmoothL1 => Self::SmoothL1,
            LandmarkLossKind::Wing => Self::Wing {
                w: config.wing_w,
                epsilon: config.wing_epsilon,
            },
            LandmarkLossKind::SoftWing => Self::SoftWing {
                inner: config.wing_w,
                outer: config.soft_wing_outer,
                epsilon: config.wing_epsilon,
            },
        }
    }

    /// Loss of each element of `d` = predicted - true deltas; shape unchanged.
    pub fn of<const D: usize>(self, d: Tensor<D>) -> Tensor<D> {
        match self {
            Self::L1 => d.abs(),
            Self::L2 => d.square() * 0.5,
            Self::SmoothL1 => smooth_l1(d),
            Self::Wing { w, epsilon } => {
                let offset = w - w * (w / epsilon).ln_1p();
                let size = d.abs();
                let far = size.clone().greater_equal_scalar(w);
                let near = log_of(size.clone(), epsilon) * w;
                near.mask_where(far, size - offset)
            }
            Self::SoftWing {
                inner,
                outer,
                epsilon,
            } => {
                let offset = inner - outer * (inner / epsilon).ln_1p();
                let size = d.abs();
                let far = size.clone().greater_equal_scalar(inner);
                let beyond = log_of(size.clone(), epsilon) * outer + offset;
                size.mask_where(far, beyond)
            }
        }
    }
}

fn log_of<const D: usize>(size: Tensor<D>, epsilon: f32) -> Tensor<D> {
    (size / epsilon).log1p()
}

/// Huber loss with threshold 1, element by element.
pub fn smooth_l1<const D: usize>(d: Tensor<D>) -> Tensor<D> {
    let size = d.abs();
    let far = size.clone().greater_equal_scalar(1.0);
    (size.clone().square() * 0.5).mask_where(far, size - 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const INPUT: [f32; 7] = [-3.0, -1.0, -0.5, 0.0, 0.25, 2.0, 40.0];

    fn values(loss: LandmarkLoss) -> Vec<f32> {
        let d = Tensor::<1>::from_floats(INPUT, &Device::flex());
        loss.of(d).into_data().try_to_vec().unwrap()
    }

    fn check(loss: LandmarkLoss, want: [f32; 7]) {
        for (got, want) in values(loss).iter().zip(want) {
            assert!((got - want).abs() < 1e-5, "{loss:?}: {got} is not {want}");
        }
    }

    #[test]
    fn hand_computed_values() {
        check(LandmarkLoss::L1, [3.0, 1.0, 0.5, 0.0, 0.25, 2.0, 40.0]);
        check(
            LandmarkLoss::L2,
            [4.5, 0.5, 0.125, 0.0, 0.031_25, 2.0, 800.0],
        );
        check(
            LandmarkLoss::SmoothL1,
            [2.5, 0.5, 0.125, 0.0, 0.031_25, 1.5, 39.5],
        );
        // w = 2, e = 0.5: C = 2 - 2 ln 5 = -1.218876; 2 ln 3 = 2.197225; 2 ln 2; 2 ln 1.5.
        let wing = LandmarkLoss::Wing {
            w: 2.0,
            epsilon: 0.5,
        };
        let far = 1.218_876;
        check(
            wing,
            [
                3.0 + far,
                2.197_225,
                1.386_294,
                0.0,
                0.810_930,
                2.0 + far,
                40.0 + far,
            ],
        );
        // inner = 1, outer = 2, e = 0.5: B = 1 - 2 ln 3 = -1.197225; 2 ln 7, 2 ln 5, 2 ln 81.
        let soft = LandmarkLoss::SoftWing {
            inner: 1.0,
            outer: 2.0,
            epsilon: 0.5,
        };
        check(soft, [2.694_596, 1.0, 0.5, 0.0, 0.25, 2.021_651, 7.591_674]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let device = Device::flex().autodiff();
        for loss in [
            LandmarkLoss::L1,
            LandmarkLoss::L2,
            LandmarkLoss::SmoothL1,
            LandmarkLoss::Wing {
                w: 2.0,
                epsilon: 0.5,
            },
            LandmarkLoss::SoftWing {
                inner: 1.0,
                outer: 3.0,
                epsilon: 0.5,
            },
        ] {
            let points = [-3.0f32, -0.7, 0.3, 1.4, 5.0];
            let d = Tensor::<1>::from_floats(points, &device).require_grad();
            let gradients = loss.of(d.clone()).sum().backward();
            let gradient = d
                .grad(&gradients)
                .unwrap()
                .into_data()
                .try_to_vec::<f32>()
                .unwrap();
            for (i, p) in points.into_iter().enumerate() {
                let at = |x: f32| -> f32 {
                    let t = Tensor::<1>::from_floats([x], &Device::flex());
                    loss.of(t).into_scalar()
                };
                let slope = (at(p + 1e-2) - at(p - 1e-2)) / 2e-2;
                assert!(
                    (gradient[i] - slope).abs() < 1e-2 * slope.abs().max(1.0),
                    "{loss:?} at {p}"
                );
            }
        }
    }

    #[test]
    fn a_perfect_point_has_no_loss_and_pulls_nowhere() {
        let device = Device::flex().autodiff();
        for kind in [
            LandmarkLossKind::L1,
            LandmarkLossKind::L2,
            LandmarkLossKind::SmoothL1,
            LandmarkLossKind::Wing,
            LandmarkLossKind::SoftWing,
        ] {
            let loss = LandmarkLoss::new(&LossConfig {
                landmark: kind,
                ..LossConfig::default()
            });
            let d = Tensor::<1>::from_floats([0.0], &device).require_grad();
            let total = loss.of(d.clone()).sum();
            assert_eq!(total.clone().into_scalar::<f32>(), 0.0, "{loss:?}");
            let gradients = total.backward();
            let g: f32 = d.grad(&gradients).unwrap().into_scalar();
            // Either side of zero pulls; in the middle neither does.
            assert_eq!(g, 0.0, "{loss:?}");
        }
    }

    #[test]
    fn the_config_names_the_parameters() {
        let with = |landmark| {
            LandmarkLoss::new(&LossConfig {
                landmark,
                wing_w: 3.0,
                wing_epsilon: 0.25,
                soft_wing_outer: 7.0,
                ..LossConfig::default()
            })
        };
        let wing = LandmarkLoss::Wing {
            w: 3.0,
            epsilon: 0.25,
        };
        let soft = LandmarkLoss::SoftWing {
            inner: 3.0,
            outer: 7.0,
            epsilon: 0.25,
        };
        assert_eq!(with(LandmarkLossKind::Wing), wing);
        assert_eq!(with(LandmarkLossKind::SoftWing), soft);
    }
}
