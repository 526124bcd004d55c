//! What boxes cost.

use burn::tensor::{Device, Tensor, TensorData};

use crate::anchors::{Coder, MAX_LOG_SCALE};
use crate::config::{BoxKind, BoxLoss};
use crate::geometry::BoxXyxy;
use crate::landmark_loss::smooth_l1;

/// Keeps quotients finite.
const EPSILON: f32 = 1e-7;

/// P boxes by their corners, `[P,2]` each.
#[derive(Clone, Debug)]
pub(super) struct Corners {
    low: Tensor<2>,
    high: Tensor<2>,
}

impl Corners {
    /// Of boxes that are known.
    pub(super) fn of(boxes: &[BoxXyxy], device: &Device) -> Self {
        let corner = |of: fn(&BoxXyxy) -> [f32; 2]| {
            let values: Vec<f32> = boxes.iter().flat_map(of).collect();
            Tensor::from_data(TensorData::new(values, [boxes.len(), 2]), device)
        };
        Self {
            low: corner(|b| [b.x1, b.y1]),
            high: corner(|b| [b.x2, b.y2]),
        }
    }

    /// Of boxes that are told by `told` `[P,4]`, relative to the `anchors`: what [`Coder::decode_box`]
    /// gives.
    pub(super) fn decoded(coder: Coder, told: &Tensor<2>, anchors: &[[f32; 4]]) -> Self {
        let device = told.device();
        let part = |of: fn(&[f32; 4]) -> [f32; 2]| -> Tensor<2> {
            let values: Vec<f32> = anchors.iter().flat_map(of).collect();
            Tensor::from_data(TensorData::new(values, [anchors.len(), 2]), &device)
        };
        let (centre, size) = (part(|a| [a[0], a[1]]), part(|a| [a[2], a[3]]));
        let (first, last) = (told.clone().narrow(1, 0, 2), told.clone().narrow(1, 2, 2));
        match coder.boxes {
            BoxKind::Deltas => {
                let [moved, grown] = coder.variances;
                let middle = first * size.clone() * moved + centre;
                let half = (last * grown).clamp_max(MAX_LOG_SCALE).exp() * size * 0.5;
                Self {
                    low: middle.clone() - half.clone(),
                    high: middle + half,
                }
            }
            BoxKind::Distances => Self {
                low: centre.clone() - first * size.clone(),
                high: centre + last * size,
            },
        }
    }

    /// Areas `[P,1]`; 0 of a box that is inside out.
    fn area(&self) -> Tensor<2> {
        product((self.high.clone() - self.low.clone()).clamp_min(0.0))
    }

    /// How much each overlaps its counterpart: `[P,1]`; and the area of both together.
    fn iou(&self, other: &Self) -> (Tensor<2>, Tensor<2>) {
        let shared = Self {
            low: self.low.clone().max_pair(other.low.clone()),
            high: self.high.clone().min_pair(other.high.clone()),
        };
        let shared = shared.area();
        let union = self.area() + other.area() - shared.clone();
        (shared / (union.clone() + EPSILON), union)
    }

    /// How much each overlaps its counterpart: `[P]`, without a gradient.
    pub(super) fn overlaps(&self, other: &Self) -> Tensor<1> {
        self.iou(other).0.detach().squeeze_dim(1)
    }

    /// What each costs whose counterpart is the `truth`: `[P,1]`.
    fn cost(&self, truth: &Self, loss: BoxLoss) -> Tensor<2> {
        let (iou, union) = self.iou(truth);
        let around = Self {
            low: self.low.clone().min_pair(truth.low.clone()),
            high: self.high.clone().max_pair(truth.high.clone()),
        };
        let apart = match loss {
            BoxLoss::Diou => {
                let middle = |boxes: &Self| (boxes.low.clone() + boxes.high.clone()) * 0.5;
                let distance = squares(middle(self) - middle(truth));
                distance / (squares(around.high - around.low) + EPSILON)
            }
            BoxLoss::Giou | BoxLoss::SmoothL1 => {
                let area = around.area();
                (area.clone() - union) / (area + EPSILON)
            }
        };
        -iou + apart + 1.0
    }
}

/// What P boxes cost: `[P,1]`. They are told by `told` `[P,4]` relative to the `anchors`, and should be
/// the `truth`.
pub(super) fn costs(
    loss: BoxLoss,
    coder: Coder,
    told: Tensor<2>,
    anchors: &[[f32; 4]],
    truth: &[BoxXyxy],
) -> Tensor<2> {
    let device = told.device();
    if loss == BoxLoss::SmoothL1 {
        let pairs = anchors.iter().zip(truth);
        let values: Vec<f32> = pairs.flat_map(|(&a, b)| coder.encode_box(a, b)).collect();
        let truth = Tensor::from_data(TensorData::new(values, [truth.len(), 4]), &device);
        return smooth_l1(told - truth).sum_dim(1);
    }
    Corners::decoded(coder, &told, anchors).cost(&Corners::of(truth, &device), loss)
}

/// `[P,2]` -> the product of both, `[P,1]`.
fn product(x: Tensor<2>) -> Tensor<2> {
    x.clone().narrow(1, 0, 1) * x.narrow(1, 1, 1)
}

/// `[P,2]` -> the sum of both squares, `[P,1]`.
fn squares(x: Tensor<2>) -> Tensor<2> {
    (x.clone() * x).sum_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANCHOR: [f32; 4] = [20.0, 20.0, 16.0, 16.0];

    fn coder(boxes: BoxKind) -> Coder {
        Coder {
            boxes,
            ..Coder::of_deltas([0.1, 0.2])
        }
    }

    fn told(numbers: [f32; 4], device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), [1, 4]), device)
    }

    fn number(x: Tensor<2>) -> f32 {
        x.into_data().try_to_vec::<f32>().unwrap()[0]
    }

    fn cost(loss: BoxLoss, kind: BoxKind, found: BoxXyxy, truth: BoxXyxy) -> f32 {
        let device = Device::flex();
        let coder = coder(kind);
        let told = told(coder.encode_box(ANCHOR, &found), &device);
        number(costs(loss, coder, told, &[ANCHOR], &[truth]))
    }

    #[test]
    fn hand_computed() {
        let (found, truth) = (
            BoxXyxy::new(0.0, 0.0, 4.0, 4.0),
            BoxXyxy::new(2.0, 2.0, 6.0, 4.0),
        );
        // 4 of 20 shared; around both 24; the centres are (2, 1) apart, the diagonal is (6, 4).
        for kind in [BoxKind::Deltas, BoxKind::Distances] {
            let giou = cost(BoxLoss::Giou, kind, found, truth);
            assert!((giou - (1.0 - 0.2 + 4.0 / 24.0)).abs() < 1e-4, "{giou}");
            let diou = cost(BoxLoss::Diou, kind, found, truth);
            assert!((diou - (1.0 - 0.2 + 5.0 / 52.0)).abs() < 1e-4, "{diou}");
            for loss in [BoxLoss::Giou, BoxLoss::Diou, BoxLoss::SmoothL1] {
                assert!(cost(loss, kind, truth, truth).abs() < 1e-4);
            }
        }
        // Apart: the gap counts.
        let far = BoxXyxy::new(8.0, 0.0, 12.0, 4.0);
        let giou = cost(BoxLoss::Giou, BoxKind::Deltas, found, far);
        assert!((giou - (1.0 + 16.0 / 48.0)).abs() < 1e-4);
        // (1/16, 1/16, 0, 0) sides of the anchor off, each squared and halved.
        let moved = BoxXyxy::new(1.0, 1.0, 4.0, 4.0);
        let smooth = cost(BoxLoss::SmoothL1, BoxKind::Distances, moved, found);
        assert!((smooth - 1.0 / 256.0).abs() < 1e-6);
    }

    #[test]
    fn slopes_are_those_of_small_steps() {
        let device = Device::flex().autodiff();
        let truth = [BoxXyxy::new(9.0, 12.0, 33.0, 30.0)];
        for (kind, at) in [
            (BoxKind::Deltas, [1.5, -2.0, 1.0, 0.7]),
            (BoxKind::Distances, [0.4, 0.8, 0.6, 0.9]),
        ] {
            for loss in [BoxLoss::Giou, BoxLoss::Diou, BoxLoss::SmoothL1] {
                let of = |told| costs(loss, coder(kind), told, &[ANCHOR], &truth);
                let x = told(at, &device).require_grad();
                let slopes = x.grad(&of(x.clone()).sum().backward()).unwrap();
                let slopes = slopes.into_data().try_to_vec::<f32>().unwrap();
                for i in 0..4 {
                    let h = 1e-2;
                    let moved = |by: f32| {
                        let mut at = at;
                        at[i] += by;
                        number(of(told(at, &device)))
                    };
                    let slope = (moved(h) - moved(-h)) / (2.0 * h);
                    let off = (slopes[i] - slope).abs();
                    assert!(off < 2e-3, "{kind:?} {loss:?} {i}: {} {slope}", slopes[i]);
                }
            }
        }
    }

    #[test]
    fn boxes_that_are_inside_out_stay_finite() {
        let device = Device::flex();
        for loss in [BoxLoss::Giou, BoxLoss::Diou] {
            let told = told([-2.0, -1.0, 0.5, 0.0], &device);
            let truth = [BoxXyxy::new(9.0, 12.0, 33.0, 30.0)];
            let found = number(costs(
                loss,
                coder(BoxKind::Distances),
                told,
                &[ANCHOR],
                &truth,
            ));
            assert!(found.is_finite() && found >= 1.0, "{found}");
        }
    }
}
