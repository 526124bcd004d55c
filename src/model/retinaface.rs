//! The detector on burn's tensors.

use anyhow::Result;
use burn::tensor::{Int, Tensor, TensorData};
use retinamark_core::anchors::{Coder, Head};
use retinamark_core::graph::{Graph, Trace};
use retinamark_core::infer::Program;
use retinamark_core::net::{DetectorNet, LEVELS, MAX_LOG_SIZE, Ops};

use super::forward::Windows;
use super::network::{Describe, Model};
use crate::config::{BoxKind, Config, Settings, Task};
use crate::ops;

/// What the network says about a batch of B images; N anchors in the order level, y, x, anchor.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[B,N,k]`: background and face before their softmax, or one before its sigmoid.
    pub logits: Tensor<3>,
    /// `[B,N,4]`, in the coder's terms.
    pub box_deltas: Tensor<3>,
    /// `[B,C,h,w]` of each level: what the heads read. See
    /// [`RetinaFace::landmark_deltas_at`].
    pub landmark_features: Vec<Tensor<4>>,
}

/// Detector of faces and their landmarks.
pub type RetinaFace = Model<RetinaFaceNet>;

/// What a [`RetinaFace`] is.
#[derive(Clone, Copy, Debug)]
pub struct RetinaFaceNet {
    /// The network.
    pub net: DetectorNet,
    /// Of boxes, where the landmark heads speak in terms of the predicted one.
    pub in_box: Option<Coder>,
}

impl Describe for RetinaFaceNet {
    const TASK: Task = Task::Detect;

    fn describe(config: &Config) -> Result<Self> {
        let in_box = config.model.landmarks_in_box;
        Ok(Self {
            net: DetectorNet::of_settings(&config.settings())?,
            in_box: in_box.then_some(Head::new(&config.head, &config.anchors).coder),
        })
    }

    fn program(settings: &Settings) -> retinamark_core::Result<Program> {
        Program::detector(settings)
    }

    fn trace(&self, [height, width]: [usize; 2]) -> Graph {
        let (mut trace, image) = Trace::of([self.net.colours, height, width]);
        let outputs = self.net.forward(&mut trace, &image);
        let landmarks: [_; LEVELS] = std::array::from_fn(|level| {
            let x = &outputs.features[level];
            self.net.landmarks(&mut trace, level, x)
        });
        let landmarks = trace.rows(&landmarks, self.net.coordinates);
        trace.finish(&[
            ("logits", outputs.logits),
            ("box_deltas", outputs.box_deltas),
            ("landmark_deltas", landmarks),
        ])
    }
}

impl RetinaFace {
    /// `x` `[B,C,H,W]` of any size -> [`Outputs`].
    pub fn forward(&self, x: Tensor<4>) -> Outputs {
        let net = &self.description.net;
        let outputs = net.forward(&mut self.forward_ops(), &x);
        Outputs {
            logits: rows(outputs.logits),
            box_deltas: rows(outputs.box_deltas),
            landmark_features: outputs.features.into(),
        }
    }

    /// Landmark deltas of every anchor: `[B,N,2L]`, x before y.
    pub fn landmark_deltas(&self, outputs: &Outputs) -> Tensor<3> {
        let net = &self.description.net;
        let mut ops = self.forward_ops();
        let maps = outputs.landmark_features.iter().enumerate();
        let maps: Vec<Tensor<4>> = maps
            .map(|(level, x)| net.landmarks(&mut ops, level, x))
            .collect();
        let rows = rows(ops.rows(&maps, net.coordinates)); // [B,N,2L]
        let [images, anchors, _] = rows.dims();
        let boxes = outputs.box_deltas.clone().reshape([images * anchors, 4]);
        self.in_anchor_terms(rows.flatten(0, 1), boxes)
            .reshape([images, anchors, net.coordinates])
    }

    /// What the landmark heads say about P anchors with these box deltas `[P,4]`, relative to the
    /// predicted box, as deltas relative to the anchor: `[P,2L]` -> `[P,2L]`. Where faces are and
    /// how large has been learned once, by the box heads; landmarks do not change them.
    fn in_anchor_terms(&self, deltas: Tensor<2>, boxes: Tensor<2>) -> Tensor<2> {
        let Some(coder) = self.description.in_box else {
            return deltas;
        };
        let [rows, coordinates] = deltas.dims();
        let (centre, size) = frame(coder, boxes.detach()); // [P,1,2] each
        let points = deltas.reshape([rows, coordinates / 2, 2]); // [P,L,2]
        (points * size + centre).reshape([rows, coordinates])
    }

    /// Landmark deltas of the anchors `at` = (image of the batch, anchor) only: `[P,2L]`, rows in
    /// the order of `at`, which may repeat itself; both count from 0 and must exist. P = 0 gives
    /// a tensor of shape `[0,2L]` without gradients. Equal to the rows of
    /// [`Self::landmark_deltas`] at a fraction of the work.
    pub fn landmark_deltas_at(&self, outputs: &Outputs, at: &[(usize, usize)]) -> Tensor<2> {
        let net = &self.description.net;
        if at.is_empty() {
            let nothing = TensorData::new(Vec::<f32>::new(), [0, net.coordinates]);
            return Tensor::from_data(nothing, &outputs.box_deltas.device());
        }
        let mut rows = Vec::new();
        let mut order = vec![0; at.len()]; // row of each request among the concatenated rows
        let mut done = 0;
        let mut first_anchor = 0;
        for (level, features) in outputs.landmark_features.iter().enumerate() {
            let [_, _, h, w] = features.dims();
            let past_anchor = first_anchor + h * w * net.per_location;
            let (mut places, mut anchors) = (Vec::new(), Vec::new());
            for (request, &(image, anchor)) in at.iter().enumerate() {
                if (first_anchor..past_anchor).contains(&anchor) {
                    let inside = anchor - first_anchor;
                    order[request] = done + places.len();
                    places.push(image * h * w + inside / net.per_location);
                    anchors.push(inside % net.per_location);
                }
            }
            if !places.is_empty() {
                rows.push(self.landmarks_at(level, features, &places, &anchors));
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

    /// What the landmark head of a level says about single anchors: its features `[B,C,H,W]`,
    /// `places` = image*H*W + y*W + x and `anchors` within the location, of the same length P ->
    /// `[P,2L]`. While the batch norms of a tower learn, their statistics are those of the windows
    /// around the places.
    fn landmarks_at(
        &self,
        level: usize,
        features: &Tensor<4>,
        places: &[usize],
        anchors: &[usize],
    ) -> Tensor<2> {
        let net = &self.description.net;
        let [_, _, height, width] = features.dims();
        let map = [height, width];
        let around = ops::gather_windows(features.clone(), places, net.window() / 2);
        let mut ops = self.forward_ops().on_windows(Windows { places, map });
        let deltas = net.landmarks_of_windows(&mut ops, level, &around); // [P,A*2L,1,1]
        let rows = deltas.reshape([places.len() * net.per_location, net.coordinates]); // [P*A,2L]
        let picked = anchors.iter().enumerate();
        let picked: Vec<usize> = picked
            .map(|(row, anchor)| row * net.per_location + anchor)
            .collect();
        select_rows(rows, &picked)
    }

    /// Anchors at each location.
    pub const fn anchors_per_location(&self) -> usize {
        self.description.net.per_location
    }

    /// Landmarks of a face.
    pub const fn landmarks(&self) -> usize {
        self.description.net.coordinates / 2
    }
}

/// [`Coder::frame`] of boxes `[P,4]`: deltas of their centres and their sizes, `[P,1,2]` each.
fn frame(coder: Coder, boxes: Tensor<2>) -> (Tensor<3>, Tensor<3>) {
    let [rows, _] = boxes.dims();
    let boxes = boxes.reshape([rows, 2, 2]);
    let low = boxes.clone().narrow(1, 0, 1);
    let high = boxes.narrow(1, 1, 1);
    match coder.boxes {
        BoxKind::Deltas => {
            let size = high * coder.variances[1];
            (low, size.clamp(-MAX_LOG_SIZE, MAX_LOG_SIZE).exp())
        }
        BoxKind::Distances => {
            let size = low.clone() + high.clone();
            let centre = (high - low) / (2.0 * coder.variances[0]);
            (
                centre,
                size.clamp((-MAX_LOG_SIZE).exp(), MAX_LOG_SIZE.exp()),
            )
        }
    }
}

/// `[B,N,k,1]` -> `[B,N,k]`.
fn rows(x: Tensor<4>) -> Tensor<3> {
    x.squeeze_dim(3)
}

/// Rows of `x` `[R,C]` at `indices`, in that order -> `[P,C]`.
fn select_rows(x: Tensor<2>, indices: &[usize]) -> Tensor<2> {
    let index: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
    let index = TensorData::new(index, [indices.len()]);
    let device = x.device();
    x.select(0, Tensor::<1, Int>::from_data(index, &device))
}
