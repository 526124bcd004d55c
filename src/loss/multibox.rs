//! The multi-box loss: classes, boxes and landmarks of the matched anchors.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::losses::{Losses, face_factors};
use super::mining::hard_negatives;
use crate::anchors::Targets;
use crate::config::LossConfig;
use crate::device;
use crate::geometry::Scheme;
use crate::landmark_loss::{SchemeLoss, smooth_l1};
use crate::model::{Outputs, RetinaFace};

/// The multi-box loss (SSD, Liu et al. 2016, eq. 1-3, with RetinaFace's landmark part):
/// SmoothL1 of the positives' boxes, cross-entropy of the positives and the hardest negatives,
/// landmark loss of the positives that have points; each part is a sum divided by its own number of positives (at least 1), times its weight.
#[derive(Clone, Debug)]
pub struct MultiBox {
    config: LossConfig,
    landmark: SchemeLoss,
}

/// Where the positives of a batch are.
struct Rows {
    /// (image, anchor) of every positive.
    positives: Vec<(usize, usize)>,
    /// (image, anchor) of every mined negative.
    negatives: Vec<(usize, usize)>,
    /// (image, anchor) of the positives with landmarks.
    landmarks: Vec<(usize, usize)>,
}

impl MultiBox {
    /// With the weights and the landmark loss of `config`, for the landmarks of `scheme`.
    pub fn new(config: &LossConfig, scheme: &Scheme) -> Self {
        Self {
            config: config.clone(),
            landmark: SchemeLoss::new(&config.landmark, scheme),
        }
    }

    /// The loss of a batch, of the parts `class`, `boxes` and `landmarks`: `outputs` of `model` for B
    /// images, and the targets of each.
    ///
    /// # Errors
    /// When the outputs and targets differ in images or anchors.
    pub fn forward(
        &self,
        model: &RetinaFace,
        outputs: &Outputs,
        targets: &[Targets],
    ) -> Result<Losses> {
        let [images, anchors, _] = outputs.logits.dims();
        ensure!(
            images == targets.len() && targets.iter().all(|t| t.labels.len() == anchors),
            "the network gave {images} images of {anchors} anchors, the targets are others"
        );
        let rows = self.rows(&outputs.logits, targets);
        let class = self.class_loss(&outputs.logits, &rows) * self.config.class_weight;
        let boxes = box_loss(&outputs.box_deltas, &rows, targets) * self.config.box_weight;
        let device = outputs.logits.device();
        let landmarks = if rows.landmarks.is_empty() {
            Tensor::zeros([1], &device)
        } else {
            let deltas = model.landmark_deltas_at(outputs, &rows.landmarks);
            self.landmark_loss(deltas, targets) * self.config.landmark_weight
        };
        let total = class.clone() + boxes.clone() + landmarks.clone();
        let parts = vec![("class", class), ("boxes", boxes), ("landmarks", landmarks)];
        Ok(Losses {
            total,
            parts,
            positives: rows.positives.len(),
        })
    }

    fn rows(&self, logits: &Tensor<3>, targets: &[Targets]) -> Rows {
        let values = device::read(logits.clone());
        let mut rows = Rows {
            positives: Vec::new(),
            negatives: Vec::new(),
            landmarks: Vec::new(),
        };
        let per_image = logits.dims()[1] * 2;
        for (image, (t, values)) in targets.iter().zip(values.chunks(per_image)).enumerate() {
            let margins: Vec<f32> = values.chunks_exact(2).map(|v| v[1] - v[0]).collect();
            let negatives = hard_negatives(&t.labels, &margins, self.config.negative_ratio);
            rows.negatives
                .extend(negatives.into_iter().map(|a| (image, a)));
            rows.positives
                .extend(t.positives.iter().map(|&a| (image, a)));
            rows.landmarks
                .extend(t.with_landmarks.iter().map(|&p| (image, t.positives[p])));
        }
        rows
    }

    fn class_loss(&self, logits: &Tensor<3>, rows: &Rows) -> Tensor<1> {
        let chosen = [rows.positives.as_slice(), &rows.negatives].concat();
        if chosen.is_empty() {
            // Every anchor is ignored: zero, but still a function of the network.
            return logits.clone().sum() * 0.0;
        }
        let device = logits.device();
        let log_p = activation::log_softmax(select(logits, &chosen), 1);
        let mut truth = vec![0.0f32; chosen.len() * 2];
        for (i, row) in truth.chunks_exact_mut(2).enumerate() {
            row[usize::from(i < rows.positives.len())] = -1.0;
        }
        let truth = constant(truth, [chosen.len(), 2], &device);
        (log_p * truth).sum() / at_least_one(rows.positives.len())
    }

    fn landmark_loss(&self, deltas: Tensor<2>, targets: &[Targets]) -> Tensor<1> {
        let [faces, width] = deltas.dims();
        let device = deltas.device();
        let gather = |of: fn(&Targets) -> &Vec<f32>| {
            let all: Vec<f32> = targets.iter().flat_map(|t| of(t).iter().copied()).collect();
            constant(all, [faces, width], &device)
        };
        let truth = gather(|t| &t.landmark_deltas);
        let weights = gather(|t| &t.landmark_weights);
        let factors = face_factors(targets, faces, &device, |t| t.face_weights.clone());
        self.landmark.sum(deltas - truth, weights, factors) / at_least_one(faces)
    }
}

fn box_loss(deltas: &Tensor<3>, rows: &Rows, targets: &[Targets]) -> Tensor<1> {
    let device = deltas.device();
    if rows.positives.is_empty() {
        return Tensor::zeros([1], &device);
    }
    let truth: Vec<f32> = targets
        .iter()
        .flat_map(|t| t.box_deltas.iter().flatten().copied())
        .collect();
    let truth = constant(truth, [rows.positives.len(), 4], &device);
    let loss = smooth_l1(select(deltas, &rows.positives) - truth);
    loss.sum() / at_least_one(rows.positives.len())
}

/// Rows of a `[B,N,k]` tensor at (image, anchor): `[P,k]`.
fn select(x: &Tensor<3>, at: &[(usize, usize)]) -> Tensor<2> {
    let [images, anchors, k] = x.dims();
    let index: Vec<i64> = at.iter().map(|&(i, a)| (i * anchors + a) as i64).collect();
    let index = TensorData::new(index, [at.len()]);
    let index = Tensor::<1, Int>::from_data(index, &x.device());
    x.clone().reshape([images * anchors, k]).select(0, index)
}

fn constant(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn at_least_one(count: usize) -> f32 {
    count.max(1) as f32
}
