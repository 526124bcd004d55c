//! What it costs not to say what a teacher says.

use anyhow::{Context, Result};
use burn::tensor::{Tensor, TensorData};

use super::boxes;
use super::detector::select;
use super::head::{log_odds, quality_focal};
use crate::anchors::{Coder, Targets, Taught};
use crate::config::{DistillConfig, LossConfig};
use crate::model::Outputs;

/// Scores by quality focal loss, boxes by the box loss, each weighted by the teacher's score; both
/// over the sum of the teacher's scores. Ignored anchors learn no scores.
#[derive(Clone, Debug)]
pub(super) struct Distillation {
    pub(super) config: DistillConfig,
    pub(super) loss: LossConfig,
    pub(super) coder: Coder,
}

impl Distillation {
    /// Costs of scores and boxes of a batch, `[1]` each.
    ///
    /// # Errors
    /// When the teacher has not looked at an image.
    pub(super) fn costs(
        &self,
        outputs: &Outputs,
        targets: &[Targets],
    ) -> Result<[(&'static str, Tensor<1>); 2]> {
        let taught: Option<Vec<&Taught>> = targets.iter().map(|t| t.taught.as_ref()).collect();
        let taught = taught.context("distill.weights: the teacher has not looked at this batch")?;
        let total: f32 = taught.iter().flat_map(|t| &t.scores).sum();
        let share = 1.0 / total.max(1.0);
        let scores = self.scores(outputs, targets, &taught) * (share * self.config.score_weight);
        let boxes = self.boxes(outputs, &taught) * (share * self.config.box_weight);
        Ok([("taught_scores", scores), ("taught_boxes", boxes)])
    }

    fn scores(&self, outputs: &Outputs, targets: &[Targets], taught: &[&Taught]) -> Tensor<1> {
        let odds = log_odds(&outputs.logits);
        let device = odds.device();
        let [images, anchors] = odds.dims();
        let all = [images * anchors];
        let constant =
            |values: Vec<f32>| Tensor::<1>::from_data(TensorData::new(values, all), &device);
        let truth = taught.iter().flat_map(|t| t.scores.iter().copied());
        let known = targets.iter().flat_map(|t| &t.labels);
        let known = known.map(|&label| f32::from(label >= 0)).collect();
        let loss = quality_focal(
            odds.reshape(all),
            constant(truth.collect()),
            self.loss.quality_beta,
        );
        (loss * constant(known)).sum()
    }

    fn boxes(&self, outputs: &Outputs, taught: &[&Taught]) -> Tensor<1> {
        let rows = taught.iter().enumerate();
        let rows = rows.flat_map(|(image, t)| t.sure.iter().map(move |s| (image, s.anchor)));
        let rows: Vec<(usize, usize)> = rows.collect();
        let device = outputs.box_deltas.device();
        if rows.is_empty() {
            return Tensor::zeros([1], &device);
        }
        let sure = || taught.iter().flat_map(|t| &t.sure);
        let anchors: Vec<[f32; 4]> = sure().map(|s| s.anchor_cxcywh).collect();
        let truth: Vec<_> = sure().map(|s| s.box_xyxy).collect();
        let weights: Vec<f32> = sure().map(|s| s.score).collect();
        let weights = TensorData::new(weights, [rows.len(), 1]);
        let told = select(&outputs.box_deltas, &rows);
        let costs = boxes::costs(self.loss.boxes, self.coder, told, &anchors, &truth);
        (costs * Tensor::from_data(weights, &device)).sum()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::anchors::Sure;
    use crate::config::BoxLoss;

    const ANCHOR: [f32; 4] = [20.0, 20.0, 16.0, 16.0];

    fn distillation() -> Distillation {
        Distillation {
            config: DistillConfig {
                score_weight: 3.0,
                box_weight: 5.0,
                ..DistillConfig::default()
            },
            loss: LossConfig {
                boxes: BoxLoss::SmoothL1,
                ..LossConfig::default()
            },
            coder: Coder::of_deltas([0.1, 0.2]),
        }
    }

    /// Three anchors, of which the last one is ignored.
    fn targets(taught: Option<Taught>) -> Targets {
        Targets {
            labels: vec![0, 0, -1],
            taught,
            ..Targets::default()
        }
    }

    fn tensor(values: &[f32], k: usize, device: &Device) -> Tensor<3> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, 3, k]), device)
    }

    #[test]
    fn hand_computed_costs_and_their_slopes() {
        let device = Device::flex().autodiff();
        let odds = [0.0f32, -1.0, 7.0];
        // The pair of logits of a RetinaFace head and the single one of a quality head cost the same.
        for k in [1, 2] {
            let logits: Vec<f32> = odds
                .iter()
                .flat_map(|&x| [0.25, 0.25 + x][2 - k..].to_vec())
                .map(|x| if k == 1 { x - 0.25 } else { x })
                .collect();
            let logits = tensor(&logits, k, &device).require_grad();
            let deltas = tensor(
                &[0.5, 3.0, 0.0, -1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0],
                4,
                &device,
            );
            let deltas = deltas.require_grad();
            let outputs = Outputs {
                logits: logits.clone(),
                box_deltas: deltas.clone(),
                landmark_features: Vec::new(),
            };
            let own = distillation();
            let sure = Sure {
                anchor: 0,
                anchor_cxcywh: ANCHOR,
                score: 0.8,
                box_xyxy: own.coder.decode_box(ANCHOR, [0.0, 1.0, 0.0, 1.0]),
            };
            let taught = Taught {
                scores: vec![0.8, 0.1, 0.9],
                sure: vec![sure],
            };
            let costs = own.costs(&outputs, &[targets(Some(taught))]).unwrap();
            let [(scores_name, scores), (boxes_name, boxes)] = costs;
            assert_eq!((scores_name, boxes_name), ("taught_scores", "taught_boxes"));
            let value = |x: &Tensor<1>| x.clone().into_data().try_to_vec::<f32>().unwrap()[0];
            // (0.8 - 0.5)^2 ln 2, and (s - 0.1)^2 (ln(1 + e^-1) + 0.1) with s = 0.268941; the scores sum to
            // 1.8.
            let first = 0.09 * std::f32::consts::LN_2;
            let second = 0.168_941f32.powi(2) * (0.313_262 + 0.1);
            let want = 3.0 * (first + second) / 1.8;
            assert!(
                (value(&scores) - want).abs() < 1e-4,
                "{k}: {}",
                value(&scores)
            );
            // SmoothL1 of .5, 2, 0, -2 is .125 + 1.5 + 0 + 1.5, times the score.
            let want = 5.0 * 3.125 * 0.8 / 1.8;
            assert!((value(&boxes) - want).abs() < 1e-3, "{}", value(&boxes));
            let gradients = (scores + boxes).backward();
            let of = |x: &Tensor<3>| {
                x.grad(&gradients)
                    .unwrap()
                    .into_data()
                    .try_to_vec::<f32>()
                    .unwrap()
            };
            let slopes = of(&logits);
            assert!(slopes[..k].iter().any(|&g| g != 0.0));
            assert!(
                slopes[2 * k..].iter().all(|&g| g == 0.0),
                "ignored: {slopes:?}"
            );
            let slopes = of(&deltas);
            assert!((slopes[0] - 5.0 * 0.5 * 0.8 / 1.8).abs() < 1e-4);
            assert!(
                slopes[4..].iter().all(|&g| g == 0.0),
                "no teacher's box: {slopes:?}"
            );
        }
    }

    #[test]
    fn a_batch_that_nobody_looked_at_is_an_error() {
        let device = Device::flex();
        let outputs = Outputs {
            logits: tensor(&[0.0; 3], 1, &device),
            box_deltas: tensor(&[0.0; 12], 4, &device),
            landmark_features: Vec::new(),
        };
        let error = distillation()
            .costs(&outputs, &[targets(None)])
            .unwrap_err();
        assert!(error.to_string().contains("distill.weights"), "{error}");
        // What a teacher sees nothing in is legal.
        let nothing = Taught {
            scores: vec![0.0; 3],
            sure: Vec::new(),
        };
        assert!(
            distillation()
                .costs(&outputs, &[targets(Some(nothing))])
                .is_ok()
        );
    }
}
