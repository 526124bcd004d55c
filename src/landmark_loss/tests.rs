//! Every loss against numbers worked out by hand, and its slopes against finite differences.

use burn::tensor::{Device, Tensor, TensorData};

use super::*;
use crate::geometry::landmarks::Anatomy;
use crate::kinds::{Kinds, Settings};

/// A face of four points.
type Face = [f32; 8];

/// Three points in a line, of which the last is in another one with the fourth.
fn scheme() -> Scheme {
    let parts = vec![vec![0, 1, 2], vec![2, 3]];
    Scheme::new("four", 4, &[], [0, 1], Anatomy::default(), parts).unwrap()
}

/// Equal weights for the coordinates of the first `points` points.
fn weights(points: usize) -> Face {
    std::array::from_fn(|i| {
        if i < 2 * points {
            0.5 / points as f32
        } else {
            0.0
        }
    })
}

fn rows(faces: &[Face], device: &Device) -> Tensor<2> {
    let numbers = TensorData::new(faces.as_flattened().to_vec(), [faces.len(), 8]);
    Tensor::from_data(numbers, device)
}

/// The loss of faces with errors and labelled points.
fn sum(kind: &LandmarkLossKind, faces: &[(Face, usize)]) -> f32 {
    let device = Device::flex();
    let (errors, points): (Vec<Face>, Vec<usize>) = faces.iter().copied().unzip();
    let weights: Vec<Face> = points.into_iter().map(weights).collect();
    let loss = SchemeLoss::new(kind, &scheme());
    let total = loss.sum(rows(&errors, &device), rows(&weights, &device), None);
    total.into_scalar::<f32>()
}

/// The slopes of that loss of one face.
fn slopes(kind: &LandmarkLossKind, errors: Face, points: usize) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let d = rows(&[errors], &device).require_grad();
    let loss = SchemeLoss::new(kind, &scheme());
    let gradients = loss
        .sum(d.clone(), rows(&[weights(points)], &device), None)
        .backward();
    d.grad(&gradients)
        .unwrap()
        .into_data()
        .try_to_vec()
        .unwrap()
}

fn all_kinds() -> Vec<LandmarkLossKind> {
    let of = |name: &&str| LandmarkLossKind::with(name, Settings::new()).unwrap();
    LandmarkLossKind::NAMES.iter().map(of).collect()
}

#[track_caller]
fn check(kind: LandmarkLossKind, faces: &[(Face, usize)], expected: f32) {
    let got = sum(&kind, faces);
    let tolerance = 1e-5 * expected.abs().max(1.0);
    assert!(
        (got - expected).abs() < tolerance,
        "{kind:?}: {got} is not {expected}"
    );
}

/// Distances 5, 1, 0.5, 2; the other face is off in its first two points only, by 1 and 3.
const FIRST: Face = [-3.0, 4.0, 1.0, 0.0, 0.3, -0.4, 0.0, 2.0];
const SECOND: Face = [1.0, 0.0, 0.0, -3.0, 9.0, 9.0, 9.0, 9.0];
/// All of the first face is labelled, two points of the second.
const BOTH: [(Face, usize); 2] = [(FIRST, 4), (SECOND, 2)];

#[test]
fn plain_losses_by_hand() {
    // (3 + 4 + 1 + 0.3 + 0.4 + 2) / 8; (1 + 3) / 4
    check(LandmarkLossKind::L1(L1 {}), &BOTH, 10.7 / 8.0 + 1.0);
    // (9 + 16 + 1 + 0.09 + 0.16 + 4) / 8; (1 + 9) / 4.
    check(LandmarkLossKind::L2(L2 {}), &BOTH, 30.25 / 8.0 + 2.5);
    let roots = 3f32.sqrt() + 2.0 + 1.0 + 0.3f32.sqrt() + 0.4f32.sqrt() + 2f32.sqrt();
    let expected = roots / 8.0 + (1.0 + 3f32.sqrt()) / 4.0;
    check(LandmarkLossKind::Sqrt(Sqrt {}), &BOTH, expected);
    // 2.5 + 3.5 + 0.5 + 0.045 + 0.08 + 1.5; 0.5 + 2.5
    let expected = 8.125 / 8.0 + 3.0 / 4.0;
    check(LandmarkLossKind::SmoothL1(SmoothL1 {}), &BOTH, expected);
    let expected = (1.0f32 + 30.25 / 8.0).ln() + 3.5f32.ln();
    check(LandmarkLossKind::LogL2(LogL2 {}), &BOTH, expected);
    check(LandmarkLossKind::BatchL2(BatchL2 {}), &BOTH, 30.25 + 10.0);
    let expected = (5.0 + 1.0 + 0.5 + 2.0) / 4.0 + (1.0 + 3.0) / 2.0;
    check(
        LandmarkLossKind::PointwiseL2(PointwiseL2 {}),
        &BOTH,
        expected,
    );
}

#[test]
fn wings_by_hand() {
    // w = 2, e = 0.5: C = 2 - 2 ln 5 = -1.218876.
    let far = 1.218_876;
    let near = |size: f32| 2.0 * (1.0 + size / 0.5).ln();
    let first = 3.0 + 4.0 + 2.0 + 3.0 * far + near(1.0) + near(0.3) + near(0.4);
    let second = near(1.0) + 3.0 + far;
    let wing = LandmarkLossKind::Wing(Wing {
        width: 2.0,
        epsilon: 0.5,
    });
    check(wing, &BOTH, first / 8.0 + second / 4.0);
    // Of distances.
    let first = 5.0 + 2.0 + 2.0 * far + near(1.0) + near(0.5);
    let euclidean = LandmarkLossKind::EuclideanWing(EuclideanWing {
        width: 2.0,
        epsilon: 0.5,
    });
    check(euclidean, &BOTH, first / 4.0 + second / 2.0);
    // inner = 1, outer = 2, e = 0.5: B = 1 - 2 ln 3 = -1.197225; 2 ln 7, 2 ln 9, 2 ln 5.
    let soft = LandmarkLossKind::SoftWing(SoftWing {
        inner: 1.0,
        outer: 2.0,
        epsilon: 0.5,
    });
    let (three, four, two) = (2.694_596, 3.197_225, 2.021_651);
    let first = three + four + 1.0 + 0.3 + 0.4 + two;
    check(soft, &BOTH, first / 8.0 + (1.0 + three) / 4.0);
    // p = 2, theta / e = 1: A = 3 * 2 / (0.5 * 2) = 6, C = 3 - 3 ln 2 = 0.920558;
    // 3 ln(1 + 0.36) = 0.922454, 3 ln(1 + 0.64) = 1.484089.
    let awing = LandmarkLossKind::AWing(AWing {
        omega: 3.0,
        theta: 0.5,
        epsilon: 0.5,
        alpha: 3.0,
    });
    let line = |size: f32| 6.0 * size - 0.920_558;
    let first = line(3.0) + line(4.0) + line(1.0) + 0.922_454 + 1.484_089 + line(2.0);
    check(awing, &BOTH, first / 8.0 + (line(1.0) + line(3.0)) / 4.0);
}

#[test]
fn chain_by_hand() {
    // First face, from point to point: |-4| + |4|, |0.7| + |0.4| over four numbers; |0.3| + |-2.4|
    // over two. Second face: |1| + |3| over two; in the other part nothing follows on anything.
    let first = 10.7 / 8.0 + (9.1 / 4.0 + 2.7 / 2.0) / 2.0;
    let second = 1.0 + (4.0 / 2.0) / 2.0;
    check(LandmarkLossKind::Chain(Chain {}), &BOTH, first + second);
}

#[test]
fn a_moved_face_has_the_right_shape() {
    let moved: Face = std::array::from_fn(|i| if i % 2 == 0 { 2.0 } else { -1.0 });
    check(LandmarkLossKind::Chain(Chain {}), &[(moved, 4)], 1.5);
}

#[test]
fn slopes_agree_with_finite_differences() {
    let errors: Face = [-3.0, 4.1, 1.2, 0.2, 0.3, -0.4, 0.7, 2.3];
    for kind in all_kinds() {
        for points in [4, 3] {
            let found = slopes(&kind, errors, points);
            for (i, slope) in found.into_iter().enumerate() {
                let at = |step: f32| {
                    let mut moved = errors;
                    moved[i] += step;
                    sum(&kind, &[(moved, points)])
                };
                let expected = (at(1e-2) - at(-1e-2)) / 2e-2;
                let tolerance = 1e-2 * expected.abs().max(0.5);
                assert!(
                    (slope - expected).abs() < tolerance,
                    "{kind:?}, {points} points, {i}: {slope} is not {expected}"
                );
                assert!(
                    i < 2 * points || slope == 0.0,
                    "{kind:?} pulls on what is not labelled"
                );
            }
        }
    }
}

#[test]
fn what_is_not_labelled_changes_nothing() {
    let elsewhere: Face = [-3.0, 4.1, 1.2, 0.2, 50.0, -0.4, -7.0, 1e6];
    let here: Face = [-3.0, 4.1, 1.2, 0.2, 0.0, 0.0, 0.0, 0.0];
    for kind in all_kinds() {
        let (a, b) = (sum(&kind, &[(elsewhere, 2)]), sum(&kind, &[(here, 2)]));
        assert!((a - b).abs() < 1e-4 * b.abs(), "{kind:?}: {a} and {b}");
        assert!(b > 0.0, "{kind:?}");
    }
}

#[test]
fn a_perfect_face_has_no_loss_and_pulls_nowhere() {
    for kind in all_kinds() {
        assert_eq!(sum(&kind, &[([0.0; 8], 4)]), 0.0, "{kind:?}");
        // Either side of zero pulls; in the middle neither does.
        assert_eq!(slopes(&kind, [0.0; 8], 4), [0.0; 8], "{kind:?}");
    }
}

#[test]
fn faces_add_up() {
    for kind in all_kinds() {
        let each = sum(&kind, &[(FIRST, 4)]) + sum(&kind, &[(SECOND, 2)]);
        assert!((sum(&kind, &BOTH) - each).abs() < 1e-4 * each, "{kind:?}");
    }
}

#[test]
fn a_face_counts_as_often_as_its_factor_says() {
    let device = Device::flex();
    for kind in all_kinds() {
        let both = [FIRST, SECOND];
        let weights = [weights(4), weights(2)];
        let loss = SchemeLoss::new(&kind, &scheme());
        let factors = Tensor::from_data(TensorData::new(vec![2.0f32, 0.5], [2, 1]), &device);
        let got = loss
            .sum(rows(&both, &device), rows(&weights, &device), Some(factors))
            .into_scalar::<f32>();
        let expected = 2.0 * sum(&kind, &BOTH[..1]) + 0.5 * sum(&kind, &BOTH[1..]);
        assert!(
            (got - expected).abs() < 1e-4 * expected.abs().max(1.0),
            "{kind:?}"
        );
    }
}
