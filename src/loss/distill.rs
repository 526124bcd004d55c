//! What it costs not to say what a teacher says.

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
    /// Costs of scores and boxes of a batch, `[1]` each; `None` where nobody taught.
    pub(super) fn costs(
        &self,
        outputs: &Outputs,
        targets: &[Targets],
    ) -> Option<[(&'static str, Tensor<1>); 2]> {
        let taught: Vec<&Taught> = targets.iter().filter_map(|t| t.taught.as_ref()).collect();
        if taught.len() < targets.len() || taught.is_empty() {
            return None;
        }
        let total: f32 = taught.iter().flat_map(|t| &t.scores).sum();
        let share = 1.0 / total.max(1.0);
        let scores = self.scores(outputs, targets, &taught) * (share * self.config.score_weight);
        let boxes = self.boxes(outputs, &taught) * (share * self.config.box_weight);
        Some([("taught_scores", scores), ("taught_boxes", boxes)])
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
