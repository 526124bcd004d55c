//! Quality focal loss.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, activation};

use super::{ClassLoss, log_odds};
use crate::anchors::Targets;
use crate::loss::detector::{Positives, at_least_one};

/// Quality focal loss (GFL, Li et al., 2020, arXiv:2006.04388, eq. 2): a positive should say how well
/// its box lies, a negative 0; over the number of positives.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// How little it counts what is nearly right.
    pub beta: f32,
}

impl ClassLoss for Quality {
    fn cost(
        &self,
        logits: &Tensor<3>,
        targets: &[Targets],
        positives: &Positives,
        overlaps: &dyn Fn() -> Tensor<1>,
    ) -> Tensor<1> {
        let [images, anchors, _] = logits.dims();
        let device = logits.device();
        let all = images * anchors;
        let odds = log_odds(logits).reshape([all]);
        let known = targets.iter().flat_map(|t| &t.labels);
        let known: Vec<f32> = known.map(|&label| f32::from(label >= 0)).collect();
        let known = Tensor::<1>::from_data(TensorData::new(known, [all]), &device);
        let truth = Tensor::zeros([all], &device);
        let truth = match positives.anchors() {
            [] => truth,
            some => {
                let at = some.iter().map(|&(i, a)| (i * anchors + a) as i64);
                let at = TensorData::new(at.collect::<Vec<i64>>(), [some.len()]);
                let at = Tensor::<1, Int>::from_data(at, &device);
                truth.select_assign(0, at, overlaps(), IndexingUpdateOp::Add)
            }
        };
        let loss = quality_focal(odds, truth, self.beta) * known;
        loss.sum() / at_least_one(positives.anchors().len())
    }
}

/// `|y - s|^beta ((1 - y) ln(1 / (1 - s)) + y ln(1 / s))` of each, where `s` is the sigmoid of `odds`
/// and `y` what it should be.
pub fn quality_focal(odds: Tensor<1>, truth: Tensor<1>, beta: f32) -> Tensor<1> {
    // ln(1 + exp(x)) - x y, without overflow.
    let entropy = -activation::log_sigmoid(-odds.clone()) - odds.clone() * truth.clone();
    let off = (activation::sigmoid(odds) - truth).abs();
    let factor = if beta == 2.0 {
        off.clone() * off
    } else {
        off.powf_scalar(beta)
    };
    entropy * factor
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn tensor(values: &[f32], device: &Device) -> Tensor<1> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
    }

    fn numbers(x: Tensor<1>) -> Vec<f32> {
        x.into_data().try_to_vec().unwrap()
    }

    /// As the paper writes it.
    fn written_out(x: f64, y: f64, beta: f64) -> f64 {
        let s = 1.0 / (1.0 + (-x).exp());
        -(y - s).abs().powf(beta) * ((1.0 - y) * (1.0 - s).ln() + y * s.ln())
    }

    #[test]
    fn quality_focal_by_hand_and_its_slope() {
        let device = Device::flex().autodiff();
        let (odds, truth) = ([0.0f32, 2.0, -1.5, 3.0, -4.0], [1.0f32, 0.7, 0.0, 0.9, 0.3]);
        // |1 - 1/2|^2 ln 2
        let first = numbers(quality_focal(
            tensor(&[0.0], &device),
            tensor(&[1.0], &device),
            2.0,
        ))[0];
        assert!((first - 0.25 * 2f32.ln()).abs() < 1e-6);
        for beta in [1.0, 2.0, 1.5] {
            let x = tensor(&odds, &device).require_grad();
            let loss = quality_focal(x.clone(), tensor(&truth, &device), beta);
            let slopes = numbers(x.grad(&loss.clone().sum().backward()).unwrap());
            for (i, found) in numbers(loss).into_iter().enumerate() {
                let [x, y, beta] = [odds[i], truth[i], beta].map(f64::from);
                assert!((f64::from(found) - written_out(x, y, beta)).abs() < 1e-5);
                let h = 1e-5;
                let slope = (written_out(x + h, y, beta) - written_out(x - h, y, beta)) / (2.0 * h);
                assert!((f64::from(slopes[i]) - slope).abs() < 1e-4, "{i}: {slope}");
            }
        }
    }

    #[test]
    fn what_is_far_off_stays_finite() {
        let device = Device::flex();
        let loss = quality_focal(
            tensor(&[200.0, -200.0], &device),
            tensor(&[0.0, 1.0], &device),
            2.0,
        );
        assert_eq!(numbers(loss), [200.0, 200.0]);
    }

    #[test]
    fn positives_learn_their_overlap_and_ignored_anchors_nothing() {
        let device = Device::flex();
        let logits = tensor(&[0.5, -1.0, 2.0, 9.0], &device).reshape([1, 4, 1]);
        let targets = Targets {
            labels: vec![1, 0, 0, -1],
            positives: vec![0],
            anchors_cxcywh: vec![[0.0; 4]],
            boxes: vec![crate::geometry::BoxXyxy::new(0.0, 0.0, 1.0, 1.0)],
            ..Targets::default()
        };
        let targets = [targets];
        let positives = Positives::of(&targets);
        let overlaps = || tensor(&[0.8], &device);
        let loss = Quality { beta: 2.0 }.cost(&logits, &targets, &positives, &overlaps);
        let want: f64 = [(0.5, f64::from(0.8f32)), (-1.0, 0.0), (2.0, 0.0)]
            .map(|(x, y)| written_out(x, y, 2.0))
            .iter()
            .sum();
        assert!((f64::from(numbers(loss)[0]) - want).abs() < 1e-5);
    }
}
