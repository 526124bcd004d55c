//! The loss of the detector: classes, boxes and landmarks of the matched anchors, and what a teacher
//! says of all.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::boxes::{self, Corners};
use super::distill::Distillation;
use super::head::{ClassLoss, class_loss};
use super::losses::{Losses, face_factors};
use crate::anchors::{Coder, Head, Targets};
use crate::config::{Config, HeadKind, LossConfig};
use crate::geometry::BoxXyxy;
use crate::landmark_loss::SchemeLoss;
use crate::model::{Outputs, RetinaFace};

/// The class loss of the kind of heads, the box loss of the positives, the landmark loss of the
/// positives that have points; each is a sum divided by its own number of positives (at least 1),
/// times its weight. With a teacher its scores and boxes besides.
#[derive(Clone, Debug)]
pub struct DetectorLoss {
    config: LossConfig,
    kind: HeadKind,
    coder: Coder,
    landmark: SchemeLoss,
    teacher: Option<Distillation>,
}

/// The positive anchors of a batch.
#[derive(Debug)]
pub(super) struct Positives {
    /// (image, anchor).
    rows: Vec<(usize, usize)>,
    anchors_cxcywh: Vec<[f32; 4]>,
    boxes: Vec<BoxXyxy>,
}

impl Positives {
    pub(super) fn of(targets: &[Targets]) -> Self {
        let rows = targets.iter().enumerate();
        Self {
            rows: rows
                .flat_map(|(image, t)| t.positives.iter().map(move |&anchor| (image, anchor)))
                .collect(),
            anchors_cxcywh: targets
                .iter()
                .flat_map(|t| t.anchors_cxcywh.iter().copied())
                .collect(),
            boxes: targets
                .iter()
                .flat_map(|t| t.boxes.iter().copied())
                .collect(),
        }
    }

    /// (image, anchor) of each.
    pub(super) fn anchors(&self) -> &[(usize, usize)] {
        &self.rows
    }
}

impl DetectorLoss {
    /// With the heads, the weights, the landmark loss and the teacher of `config`.
    ///
    /// # Errors
    /// When the landmark scheme is impossible.
    pub fn new(config: &Config) -> Result<Self> {
        let coder = Head::new(&config.head, &config.anchors).coder;
        let taught = config.distill.weights.is_some();
        Ok(Self {
            config: config.loss.clone(),
            kind: config.head.kind,
            coder,
            landmark: SchemeLoss::new(&config.loss.landmark, &config.landmarks.scheme()?),
            teacher: taught.then(|| Distillation {
                config: config.distill.clone(),
                loss: config.loss.clone(),
                coder,
            }),
        })
    }

    /// The loss of a batch, of the parts `class`, `boxes` and `landmarks`, and with a teacher
    /// `taught_scores` and `taught_boxes`: `outputs` of `model` for B images, and the targets of each.
    ///
    /// # Errors
    /// When the outputs and targets differ in images or anchors, and when a teacher should have looked
    /// at an image and has not.
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
        let positives = Positives::of(targets);
        let classes = class_loss(self.kind, &self.config);
        let (class, boxes) = self.of_labels(&*classes, outputs, targets, &positives);
        let landmarks = self.landmarks(model, outputs, targets);
        let mut parts = vec![("class", class), ("boxes", boxes), ("landmarks", landmarks)];
        if let Some(teacher) = &self.teacher {
            parts.extend(teacher.costs(outputs, targets)?);
        }
        let sum = parts.iter().map(|(_, part)| part.clone());
        let total = sum.reduce(|a, b| a + b);
        Ok(Losses {
            total: total.unwrap_or_else(|| Tensor::zeros([1], &outputs.logits.device())),
            parts,
            positives: positives.rows.len(),
        })
    }

    /// Classes and boxes, weighted.
    fn of_labels(
        &self,
        classes: &dyn ClassLoss,
        outputs: &Outputs,
        targets: &[Targets],
        positives: &Positives,
    ) -> (Tensor<1>, Tensor<1>) {
        let Positives {
            rows,
            anchors_cxcywh,
            boxes,
        } = positives;
        let device = outputs.logits.device();
        let told = (!rows.is_empty()).then(|| select(&outputs.box_deltas, rows));
        let overlaps = || match &told {
            None => Tensor::zeros([0], &device),
            Some(told) => Corners::decoded(self.coder, told, anchors_cxcywh)
                .overlaps(&Corners::of(boxes, &device)),
        };
        let class = classes.cost(&outputs.logits, targets, positives, &overlaps);
        let boxes = match told.clone() {
            None => Tensor::zeros([1], &device),
            Some(told) => {
                let costs =
                    boxes::costs(self.config.boxes, self.coder, told, anchors_cxcywh, boxes);
                costs.sum() / at_least_one(rows.len())
            }
        };
        let share = self.teacher.as_ref().map_or(1.0, |t| t.config.label_weight);
        (
            class * (self.config.class_weight * share),
            boxes * (self.config.box_weight * share),
        )
    }

    /// The landmarks of the positives that have some, weighted.
    fn landmarks(&self, model: &RetinaFace, outputs: &Outputs, targets: &[Targets]) -> Tensor<1> {
        let device = outputs.logits.device();
        let with = targets.iter().enumerate();
        let with = with.flat_map(|(image, t)| {
            let anchors = t.with_landmarks.iter().map(|&p| t.positives[p]);
            anchors.map(move |anchor| (image, anchor))
        });
        let with: Vec<(usize, usize)> = with.collect();
        if with.is_empty() || self.config.landmark_weight == 0.0 {
            return Tensor::zeros([1], &device);
        }
        let deltas = model.landmark_deltas_at(outputs, &with);
        let [faces, width] = deltas.dims();
        let gather = |of: fn(&Targets) -> &Vec<f32>| {
            let all: Vec<f32> = targets.iter().flat_map(|t| of(t).iter().copied()).collect();
            constant(all, [faces, width], &device)
        };
        let truth = gather(|t| &t.landmark_deltas);
        let weights = gather(|t| &t.landmark_weights);
        let factors = face_factors(targets, faces, &device, |t| t.face_weights.clone());
        let sum = self.landmark.sum(deltas - truth, weights, factors);
        sum * (self.config.landmark_weight / at_least_one(faces))
    }
}

/// Rows of a `[B,N,k]` tensor at (image, anchor): `[P,k]`.
pub(super) fn select(x: &Tensor<3>, at: &[(usize, usize)]) -> Tensor<2> {
    let [images, anchors, k] = x.dims();
    let index: Vec<i64> = at.iter().map(|&(i, a)| (i * anchors + a) as i64).collect();
    let index = TensorData::new(index, [at.len()]);
    let index = Tensor::<1, Int>::from_data(index, &x.device());
    x.clone().reshape([images * anchors, k]).select(0, index)
}

fn constant(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub(super) fn at_least_one(count: usize) -> f32 {
    count.max(1) as f32
}
