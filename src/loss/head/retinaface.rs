//! Cross-entropy of the positives and of the hardest negatives.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::{ClassLoss, log_odds};
use crate::anchors::Targets;
use crate::loss::detector::{Positives, at_least_one, select};

/// Makes an anchor that is no negative the least hard of all.
const NEVER: f32 = -1e30;

/// Cross-entropy over two classes, of the positives and of the negatives that look most like faces
/// (SSD, Liu et al. 2016), over the number of positives. An image without positives counts as having
/// one, so that background still teaches.
#[derive(Clone, Copy, Debug)]
pub struct Retinaface {
    /// Negatives for each positive.
    pub negative_ratio: f32,
}

impl ClassLoss for Retinaface {
    fn cost(
        &self,
        logits: &Tensor<3>,
        targets: &[Targets],
        positives: &Positives,
        _: &dyn Fn() -> Tensor<1>,
    ) -> Tensor<1> {
        let odds = log_odds(logits); // [B,N]
        // Nothing, but a function of the network, and not a number where one of its outputs is none.
        let mut sum = odds.clone().sum() * 0.0;
        if !positives.anchors().is_empty() {
            let own = select(&odds.clone().unsqueeze_dim(2), positives.anchors());
            sum = sum - activation::log_sigmoid(own).sum();
        }
        if let Some(negatives) = self.negatives(odds, targets) {
            sum = sum + negatives;
        }
        sum / at_least_one(positives.anchors().len())
    }
}

impl Retinaface {
    /// What the hardest negatives of each image cost together; `None` where there are none. They are
    /// found where the numbers are: nothing is waited for.
    fn negatives(&self, odds: Tensor<2>, targets: &[Targets]) -> Option<Tensor<1>> {
        let [images, anchors] = odds.dims();
        let counts: Vec<usize> = targets.iter().map(|t| self.wanted(&t.labels)).collect();
        let most = counts.iter().copied().max().filter(|&most| most > 0)?;
        let device = odds.device();
        let labels = targets.iter().flat_map(|t| &t.labels);
        let barred = labels.map(|&label| if label == 0 { 0.0 } else { NEVER });
        let hardness = odds.clone().detach() + constant(barred, [images, anchors], &device);
        let (_, hardest) = hardness.topk_with_indices(most, 1); // [B,most]
        let places = counts
            .iter()
            .flat_map(|&count| (0..most).map(move |i| f32::from(i < count)));
        let counted = constant(places, [images, most], &device);
        let costs = -activation::log_sigmoid(-odds.gather(1, hardest));
        Some((costs * counted).sum())
    }

    /// How many negatives of an image with these labels count.
    fn wanted(&self, labels: &[i8]) -> usize {
        let count = |wanted: i8| labels.iter().filter(|&&label| label == wanted).count();
        let wanted = self.negative_ratio * count(1).max(1) as f32;
        (wanted.round() as usize).min(count(0))
    }
}

fn constant(values: impl Iterator<Item = f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.collect(), shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cost of one image times its positives.
    fn cost(labels: &[i8], odds: &[f32], ratio: f32) -> f32 {
        let device = Device::flex();
        let pairs: Vec<f32> = odds.iter().flat_map(|&odds| [0.5, 0.5 + odds]).collect();
        let logits = TensorData::new(pairs, [1, odds.len(), 2]);
        let positives = (0..labels.len()).filter(|&i| labels[i] == 1).collect();
        let targets = [Targets {
            labels: labels.to_vec(),
            positives,
            ..Targets::default()
        }];
        let (of, loss) = (
            Positives::of(&targets),
            Retinaface {
                negative_ratio: ratio,
            },
        );
        let found = loss.cost(&Tensor::from_data(logits, &device), &targets, &of, &|| {
            Tensor::zeros([0], &device)
        });
        let found = found.into_data().try_to_vec::<f32>().unwrap()[0];
        found * at_least_one(of.anchors().len())
    }

    fn assert_cost(labels: &[i8], odds: &[f32], ratio: f32, taken: &[usize]) {
        let own = |i: usize| {
            let x = if labels[i] == 1 { -odds[i] } else { odds[i] };
            x.exp().ln_1p()
        };
        let positive = (0..labels.len()).filter(|&i| labels[i] == 1);
        let want: f32 = positive.chain(taken.iter().copied()).map(own).sum();
        let found = cost(labels, odds, ratio);
        assert!((found - want).abs() < 1e-4, "{found} instead of {want}");
    }

    #[test]
    fn the_hardest_are_taken_and_ignored_ones_are_not() {
        let labels = [1, 0, 0, -1, 0, 0];
        let odds = [9.0, -1.0, 3.0, 8.0, 2.0, -4.0];
        assert_cost(&labels, &odds, 2.0, &[2, 4]);
        assert_cost(&labels, &odds, 7.0, &[1, 2, 4, 5]);
        assert_cost(&labels, &odds, 0.0, &[]);
        // One and a half is two.
        assert_cost(&labels, &odds, 1.5, &[2, 4]);
    }

    #[test]
    fn an_image_without_faces_still_teaches_background() {
        assert_cost(&[0; 5], &[0.0, 1.0, 2.0, 3.0, 4.0], 2.0, &[3, 4]);
        assert_cost(&[-1; 5], &[0.0; 5], 7.0, &[]);
    }

    #[test]
    fn what_is_not_a_number_shows() {
        assert!(cost(&[0; 5], &[0.0, 1.0, 2.0, 3.0, f32::NAN], 1.0).is_nan());
        assert!(cost(&[-1; 2], &[0.0, f32::NAN], 1.0).is_nan());
    }
}
