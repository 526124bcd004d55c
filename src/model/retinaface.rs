//! The whole detector.

use std::collections::HashSet;

use anyhow::Result;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, TensorData};

use super::Network;
use super::backbone::Backbone;
use super::blocks::{conv1x1, select_rows};
use super::fpn::Fpn;
use super::freeze::{check_parts, freeze_if};
use super::heads::LandmarkHead;
use super::se::SeBlock;
use super::ssh::Ssh;
use crate::config::{Config, Task};
use crate::ops;

/// Levels of the pyramid: what every backbone gives.
const LEVELS: usize = 3;

/// Necks of up to this many channels have leaky ReLUs, wider ones plain ones.
const LEAKY_UP_TO: usize = 64;

/// Boxes of an untrained network are not taken for larger than `e^3` anchors.
pub const MAX_LOG_SIZE: f32 = 3.0;

/// What the network says about a batch of B images; N anchors in the order level, y, x, anchor.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[B,N,2]`, background first, before the softmax.
    pub logits: Tensor<3>,
    /// `[B,N,4]`, in the coder's terms: centre x, centre y, width, height.
    pub box_deltas: Tensor<3>,
    /// `[B,neck,h,w]` of each level: what the heads read. See
    /// [`RetinaFace::landmark_deltas_at`].
    pub landmark_features: Vec<Tensor<4>>,
}

/// Detector of faces and their landmarks.
#[derive(Module, Debug)]
pub struct RetinaFace {
    /// Image -> C3, C4, C5.
    pub backbone: Backbone,
    /// C3, C4, C5 -> P3, P4, P5.
    pub fpn: Fpn,
    /// Context module of each level.
    pub ssh: Vec<Ssh>,
    /// Channel attention of each level; empty when switched off.
    pub se: Vec<SeBlock>,
    /// neck -> anchors x 2 of each level.
    pub class_heads: Vec<Conv2d>,
    /// neck -> anchors x 4 of each level.
    pub box_heads: Vec<Conv2d>,
    /// neck -> anchors x 2L of each level.
    pub landmark_heads: Vec<LandmarkHead>,
    per_location: usize,
    coordinates: usize,
    /// Variance of box sizes where the landmark heads speak in terms of the predicted box.
    #[module(skip)]
    size_variance: Option<f32>,
}

impl RetinaFace {
    /// The network that `config` describes, with random weights from `device`'s generator.
    ///
    /// # Errors
    /// When [`Config::validate`] finds an impossible setting: names its key.
    pub fn new(config: &Config, device: &Device) -> Result<Self> {
        config.validate()?;
        let model = &config.model;
        let coordinates = 2 * config.landmarks.scheme()?.len();
        let per_location = config.anchors.per_location();
        let neck = model.neck_channels;
        let slope = if neck <= LEAKY_UP_TO { 0.1 } else { 0.0 };
        let backbone = Backbone::new(model, device);
        let heads = |outputs: usize| {
            (0..LEVELS)
                .map(|_| conv1x1([neck, per_location * outputs], device))
                .collect()
        };
        Ok(Self {
            fpn: Fpn::new(backbone.channels(), neck, slope, device),
            ssh: (0..LEVELS).map(|_| Ssh::new(neck, slope, device)).collect(),
            se: match model.se_reduction {
                0 => Vec::new(),
                reduction => (0..LEVELS)
                    .map(|_| SeBlock::new(neck, reduction, device))
                    .collect(),
            },
            class_heads: heads(2),
            box_heads: heads(4),
            landmark_heads: (0..LEVELS)
                .map(|_| LandmarkHead::new(model, per_location * coordinates, slope, device))
                .collect(),
            backbone,
            per_location,
            coordinates,
            size_variance: model
                .landmarks_in_box
                .then_some(config.anchors.variances[1]),
        })
    }

    /// `x` `[B,3,H,W]` of any size -> [`Outputs`].
    pub fn forward(&self, x: Tensor<4>) -> Outputs {
        let levels = self.fpn.forward(self.backbone.forward(x));
        let mut logits = Vec::new();
        let mut boxes = Vec::new();
        let mut landmark_features = Vec::new();
        for (i, level) in levels.into_iter().enumerate() {
            let mut x = self.ssh[i].forward(level); // [B,neck,h,w]
            if let Some(se) = self.se.get(i) {
                x = se.forward(x);
            }
            logits.push(ops::conv2d(&self.class_heads[i], x.clone())); // [B,A*2,h,w]
            boxes.push(ops::conv2d(&self.box_heads[i], x.clone())); // [B,A*4,h,w]
            landmark_features.push(x);
        }
        Outputs {
            logits: ops::head_rows(logits, 2),
            box_deltas: ops::head_rows(boxes, 4),
            landmark_features,
        }
    }

    /// Landmark deltas of every anchor: `[B,N,2L]`, x before y.
    pub fn landmark_deltas(&self, outputs: &Outputs) -> Tensor<3> {
        let maps = self
            .landmark_heads
            .iter()
            .zip(&outputs.landmark_features)
            .map(|(head, features)| head.everywhere(features.clone()))
            .collect();
        let rows = ops::head_rows(maps, self.coordinates); // [B,N,2L]
        let [images, anchors, _] = rows.dims();
        let boxes = outputs.box_deltas.clone().reshape([images * anchors, 4]);
        self.in_anchor_terms(rows.flatten(0, 1), boxes)
            .reshape([images, anchors, self.coordinates])
    }

    /// What the landmark heads say about P anchors with these box deltas `[P,4]`, relative to the
    /// predicted box, as deltas relative to the anchor: `[P,2L]` -> `[P,2L]`. Where faces are and
    /// how large has been learned once, by the box heads; landmarks do not change them.
    fn in_anchor_terms(&self, deltas: Tensor<2>, boxes: Tensor<2>) -> Tensor<2> {
        let Some(variance) = self.size_variance else {
            return deltas;
        };
        let [rows, coordinates] = deltas.dims();
        let boxes = boxes.detach().reshape([rows, 2, 2]); // centre, size
        let centre = boxes.clone().narrow(1, 0, 1); // [P,1,2]
        let size = boxes.narrow(1, 1, 1) * variance;
        let size = size.clamp(-MAX_LOG_SIZE, MAX_LOG_SIZE).exp(); // [P,1,2]
        let points = deltas.reshape([rows, coordinates / 2, 2]); // [P,L,2]
        (points * size + centre).reshape([rows, coordinates])
    }

    /// Landmark deltas of the anchors `at` = (image of the batch, anchor) only: `[P,2L]`, rows in
    /// the order of `at`, which may repeat itself; both count from 0 and must exist. P = 0 gives
    /// a tensor of shape `[0,2L]` without gradients. Equal to the rows of
    /// [`Self::landmark_deltas`] at a fraction of the work.
    pub fn landmark_deltas_at(&self, outputs: &Outputs, at: &[(usize, usize)]) -> Tensor<2> {
        if at.is_empty() {
            let nothing = TensorData::new(Vec::<f32>::new(), [0, self.coordinates]);
            return Tensor::from_data(nothing, &outputs.box_deltas.device());
        }
        let mut rows = Vec::new();
        let mut order = vec![0; at.len()]; // row of each request among the concatenated rows
        let mut done = 0;
        let mut first_anchor = 0;
        for (head, features) in self.landmark_heads.iter().zip(&outputs.landmark_features) {
            let [_, _, h, w] = features.dims();
            let past_anchor = first_anchor + h * w * self.per_location;
            let (mut places, mut anchors) = (Vec::new(), Vec::new());
            for (request, &(image, anchor)) in at.iter().enumerate() {
                if (first_anchor..past_anchor).contains(&anchor) {
                    let inside = anchor - first_anchor;
                    order[request] = done + places.len();
                    places.push(image * h * w + inside / self.per_location);
                    anchors.push(inside % self.per_location);
                }
            }
            if !places.is_empty() {
                rows.push(head.at(features.clone(), &places, &anchors, self.coordinates));
            }
            done += places.len();
            first_anchor = past_anchor;
        }
        debug_assert_eq!(done, at.len(), "an anchor beyond the last one");
        let deltas = select_rows(Tensor::cat(rows, 0), &order);
        let [images, anchors, _] = outputs.box_deltas.dims();
        let boxes = outputs.box_deltas.clone().reshape([images * anchors, 4]);
        let chosen: Vec<usize> = at.iter().map(|&(i, a)| i * anchors + a).collect();
        self.in_anchor_terms(deltas, select_rows(boxes, &chosen))
    }

    /// Anchors at each location.
    pub fn anchors_per_location(&self) -> usize {
        self.per_location
    }

    /// Landmarks of a face.
    pub fn landmarks(&self) -> usize {
        self.coordinates / 2
    }

    /// The same function with batch norms folded into convolutions: faster, for inference only.
    /// Take it of a [`Module::valid`] model.
    pub fn fold(self) -> Self {
        Self {
            backbone: self.backbone.fold(),
            fpn: self.fpn.fold(),
            ssh: self.ssh.into_iter().map(Ssh::fold).collect(),
            landmark_heads: self
                .landmark_heads
                .into_iter()
                .map(LandmarkHead::fold)
                .collect(),
            ..self
        }
    }

    /// Whether [`Self::fold`] was called.
    pub fn is_folded(&self) -> bool {
        self.fpn.lateral.iter().all(|block| block.norm.is_none())
    }

    /// Parameters that weight decay leaves alone: norms and biases, which are exactly those with
    /// one dimension. For `burn::module::ParamGroup::from_ids`.
    pub fn no_decay_ids(&self) -> HashSet<ParamId> {
        struct Flat(HashSet<ParamId>);
        impl ModuleVisitor for Flat {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if D == 1 {
                    self.0.insert(param.id);
                }
            }
        }
        let mut flat = Flat(HashSet::new());
        self.visit(&mut flat);
        flat.0
    }
}

impl Network for RetinaFace {
    const TASK: Task = Task::Detect;

    fn new(config: &Config, device: &Device) -> Result<Self> {
        Self::new(config, device)
    }

    fn fold(self) -> Self {
        self.fold()
    }

    fn is_folded(&self) -> bool {
        self.is_folded()
    }

    fn freeze_parts(self, parts: &[&str]) -> Result<Self> {
        const PARTS: [&str; 7] = [
            "backbone",
            "fpn",
            "ssh",
            "se",
            "class_heads",
            "box_heads",
            "landmark_heads",
        ];
        check_parts(parts, &PARTS)?;
        Ok(Self {
            backbone: freeze_if(parts.contains(&"backbone"), self.backbone),
            fpn: freeze_if(parts.contains(&"fpn"), self.fpn),
            ssh: freeze_if(parts.contains(&"ssh"), self.ssh),
            se: freeze_if(parts.contains(&"se"), self.se),
            class_heads: freeze_if(parts.contains(&"class_heads"), self.class_heads),
            box_heads: freeze_if(parts.contains(&"box_heads"), self.box_heads),
            landmark_heads: freeze_if(parts.contains(&"landmark_heads"), self.landmark_heads),
            ..self
        })
    }
}
