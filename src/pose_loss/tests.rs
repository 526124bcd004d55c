//! Both ways against numbers worked out by hand, and slopes against finite differences.

use burn::tensor::{Device, Tensor, TensorData};

use super::*;
use crate::geometry::HeadPose;

const ANGLES: [f32; 9] = [0.3, -0.8, 0.1, 1.0, 2.0, 3.0, 0.0, 0.5, 3.1];

fn truths() -> [Option<HeadPose>; 3] {
    [
        Some([0.3, -0.3, 0.4].into()),
        None,
        Some([0.0, 0.5, -3.1].into()),
    ]
}

/// `1 - cos` of 0, -0.5 and -0.3; unknown; of 0, 0 and 6.2, which is nearly once around.
const EACH: [f32; 3] = [0.122_417_44 + 0.044_663_51, 0.0, 0.003_457_92];

fn errors(angles: &Tensor<2>) -> PoseErrors {
    PoseErrors::new(angles, &truths())
}

fn angles(values: [f32; 9], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [3, 3]), device)
}

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

#[test]
fn hand_computed_errors() {
    let errors = errors(&angles(ANGLES, &Device::flex()));
    assert_eq!(errors.faces, 2);
    assert_near(&numbers(errors.each.clone()), &EACH);
    let added = Added { weight: 4.0 };
    assert!(added.factors(&errors).is_none());
    let part = numbers(added.part(&errors).unwrap());
    assert_near(&part, &[2.0 * (EACH[0] + EACH[2])]);
    assert!(Multiplied {}.part(&errors).is_none());
    let factors = numbers(Multiplied {}.factors(&errors).unwrap());
    assert_near(&factors, &[EACH[0], 1.0, EACH[2]]);
}

#[test]
fn unknown_poses_cost_nothing() {
    let device = Device::flex().autodiff();
    let angles = angles(ANGLES, &device).require_grad();
    let errors = PoseErrors::new(&angles, &[None; 3]);
    let part = Added::default().part(&errors).unwrap();
    assert_eq!(numbers(part.clone()), [0.0]);
    let gradients = part.backward();
    assert_eq!(numbers(angles.grad(&gradients).unwrap()), [0.0; 9]);
}

#[test]
fn slopes_are_those_of_finite_differences() {
    // Each face with a factor of its own, as its landmarks would give.
    let costs = |device: &Device| {
        Tensor::<2>::from_data(TensorData::new(vec![0.5, 2.0, 3.0], [3, 1]), device)
    };
    let kinds: [(PoseLossKind, f32); 2] = [
        (PoseLossKind::Added(Added { weight: 2.5 }), 1e-3),
        (PoseLossKind::Multiplied(Multiplied {}), 1e-3),
    ];
    for (kind, tolerance) in kinds {
        let total = |angles: &Tensor<2>| {
            let (loss, errors) = (kind.loss(), errors(angles));
            let own = loss.factors(&errors);
            let own = own.map(|factors| (factors * costs(&angles.device())).sum());
            loss.part(&errors).or(own).unwrap()
        };
        let device = Device::flex().autodiff();
        let x = angles(ANGLES, &device).require_grad();
        let slopes = numbers(x.grad(&total(&x).backward()).unwrap());
        for (i, slope) in slopes.into_iter().enumerate() {
            let at = |step: f32| {
                let mut moved = ANGLES;
                moved[i] += step;
                total(&angles(moved, &Device::flex())).into_scalar::<f32>()
            };
            let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!(
                (slope - difference).abs() < tolerance,
                "{kind:?}, angle {i}: {slope} is not {difference}"
            );
        }
    }
}
