//! Pixels from deltas, behind the network.

use super::builder::{Attribute, Builder, Form, Written};
use super::{Decoding, Size};
use crate::anchors::MAX_LOG_SCALE;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::net::MAX_LOG_SIZE;
use crate::settings::{BoxKind, HeadKind};

/// What decoding gives.
pub const OUTPUTS: [&str; 3] = ["scores", "boxes", "landmarks"];

/// What the nodes are called.
const WITHIN: &str = "decode";

/// Names of values that boxes and landmarks share.
struct Parts {
    /// `[N,2]`: centres of the anchors.
    centres: String,
    /// `[N,2]`: their sizes times the variance of centres.
    spans: String,
    /// `[B,N,2]` each: what boxes are told by, the first two numbers and the last two.
    told: [String; 2],
}

impl Builder {
    /// Nodes that decode a detector's outputs, and what these give.
    pub fn decode(
        &mut self,
        graph: &Graph,
        values: &[Written],
        decoding: &Decoding,
    ) -> Result<Vec<(String, Written)>> {
        let output = |name: &str| graph.output(name).map(|id| &values[id.0]);
        let (Some(logits), Some(boxes)) = (output("logits"), output("box_deltas")) else {
            return Err(Error::Onnx(
                "only outputs with logits and box_deltas can be decoded".to_owned(),
            ));
        };
        let anchors = boxes.shape[0];
        if self.size == Size::Dynamic || anchors != decoding.anchors.len() {
            let found = decoding.anchors.len();
            return Err(Error::Onnx(format!(
                "decoding needs images of a fixed size and their {anchors} anchors, not {found}"
            )));
        }
        let parts = self.parts(boxes, decoding);
        let sized = |name, form, shape| Written {
            name,
            form,
            shape,
            varies: false,
        };
        let scores = sized(self.scores(logits, decoding), Form::Vector, [anchors, 1, 1]);
        let boxes = sized(self.boxes(&parts, decoding), Form::Rows, [anchors, 4, 1]);
        let mut results = vec![scores, boxes];
        if let Some(deltas) = output("landmark_deltas") {
            let points = deltas.shape[1] / 2;
            let name = self.landmarks(deltas, points, &parts, decoding);
            results.push(sized(name, Form::Points, [anchors, points, 2]));
        }
        let names = OUTPUTS.map(str::to_owned);
        Ok(names.into_iter().zip(results).collect())
    }

    /// Of numbers `start..end` of each row.
    fn columns(&mut self, x: &str, start: i64, end: i64) -> String {
        let [start, end, axis] = [start, end, 2].map(|number| self.ints(&[number]));
        self.emit(WITHIN, "Slice", &[x, &start, &end, &axis], &[])
    }

    fn two(&mut self, op_type: &str, a: &str, b: &str) -> String {
        self.emit(WITHIN, op_type, &[a, b], &[])
    }

    /// Two numbers of each anchor.
    fn of_anchors(
        &mut self,
        name: &str,
        decoding: &Decoding,
        numbers: impl Fn(&[f32; 4]) -> [f32; 2],
    ) -> String {
        let values: Vec<f32> = decoding.anchors.iter().flat_map(numbers).collect();
        self.floats(name, &[decoding.anchors.len(), 2], &values)
    }

    fn parts(&mut self, boxes: &Written, decoding: &Decoding) -> Parts {
        let [centre, _] = decoding.head.coder.variances;
        Parts {
            centres: self.of_anchors("anchors.centres", decoding, |&[x, y, ..]| [x, y]),
            spans: self.of_anchors("anchors.spans", decoding, |&[.., w, h]| {
                [centre * w, centre * h]
            }),
            told: [(0, 2), (2, 4)].map(|(start, end)| self.columns(&boxes.name, start, end)),
        }
    }

    /// Probability of the second class, or of the only one.
    fn scores(&mut self, logits: &Written, decoding: &Decoding) -> String {
        if decoding.head.kind() == HeadKind::Quality {
            let axis = self.ints(&[2]);
            let score = self.emit(WITHIN, "Sigmoid", &[&logits.name], &[]);
            return self.two("Squeeze", &score, &axis);
        }
        let axis = [Attribute::Int("axis", 2)];
        let shares = self.emit(WITHIN, "Softmax", &[&logits.name], &axis);
        let face = self.int(1);
        self.emit(WITHIN, "Gather", &[&shares, &face], &axis)
    }

    fn boxes(&mut self, parts: &Parts, decoding: &Decoding) -> String {
        let corners = match decoding.head.coder.boxes {
            BoxKind::Deltas => self.corners_of_deltas(parts, decoding),
            BoxKind::Distances => self.corners_of_distances(parts, decoding),
        };
        let corners = [corners[0].as_str(), &corners[1]];
        self.emit(WITHIN, "Concat", &corners, &[Attribute::Int("axis", 2)])
    }

    fn corners_of_deltas(&mut self, parts: &Parts, decoding: &Decoding) -> [String; 2] {
        let halves = self.of_anchors("anchors.halves", decoding, |&[.., w, h]| [w / 2.0, h / 2.0]);
        let largest = self.float(MAX_LOG_SCALE);
        let log = self.log_sizes(parts, decoding);
        let log = self.emit(WITHIN, "Clip", &[&log, "", &largest], &[]);
        let grown = self.emit(WITHIN, "Exp", &[&log], &[]);
        let half = self.two("Mul", &grown, &halves);
        let moved = self.two("Mul", &parts.told[0], &parts.spans);
        let centre = self.two("Add", &moved, &parts.centres);
        ["Sub", "Add"].map(|op_type| self.two(op_type, &centre, &half))
    }

    fn corners_of_distances(&mut self, parts: &Parts, decoding: &Decoding) -> [String; 2] {
        let sides = self.of_anchors("anchors.sides", decoding, |&[.., w, h]| [w, h]);
        [("Sub", 0), ("Add", 1)].map(|(op_type, end)| {
            let distance = self.two("Mul", &parts.told[end], &sides);
            self.two(op_type, &parts.centres, &distance)
        })
    }

    /// `[B,N,2]`: deltas of sizes times their variance.
    fn log_sizes(&mut self, parts: &Parts, decoding: &Decoding) -> String {
        let variance = self.float(decoding.head.coder.variances[1]);
        self.two("Mul", &parts.told[1], &variance)
    }

    /// `[B,N,2]` each: deltas of the predicted box's centre, and its size in that of the anchor, as
    /// [`Coder::frame`](crate::anchors::Coder::frame) gives them.
    fn frame(&mut self, parts: &Parts, decoding: &Decoding) -> [String; 2] {
        let [low, high] = &parts.told;
        match decoding.head.coder.boxes {
            BoxKind::Deltas => {
                let log = self.log_sizes(parts, decoding);
                let [least, most] = [-MAX_LOG_SIZE, MAX_LOG_SIZE].map(|bound| self.float(bound));
                let log = self.emit(WITHIN, "Clip", &[&log, &least, &most], &[]);
                [low.clone(), self.emit(WITHIN, "Exp", &[&log], &[])]
            }
            BoxKind::Distances => {
                let unit = self.float(2.0 * decoding.head.coder.variances[0]);
                let off = self.two("Sub", high, low);
                let sum = self.two("Add", low, high);
                let bounds = [-MAX_LOG_SIZE, MAX_LOG_SIZE].map(|bound| self.float(bound.exp()));
                let [least, most] = &bounds;
                let size = self.emit(WITHIN, "Clip", &[&sum, least, most], &[]);
                [self.two("Div", &off, &unit), size]
            }
        }
    }

    fn landmarks(
        &mut self,
        deltas: &Written,
        points: usize,
        parts: &Parts,
        decoding: &Decoding,
    ) -> String {
        let shape = self.ints(&[0, 0, points as i64, 2]);
        let mut x = self.emit(WITHIN, "Reshape", &[&deltas.name, &shape], &[]);
        if decoding.landmarks_in_box {
            let frame = self.frame(parts, decoding);
            let axis = self.ints(&[2]);
            let [centre, size] = frame.map(|value| self.two("Unsqueeze", &value, &axis));
            x = self.two("Mul", &x, &size);
            x = self.two("Add", &x, &centre);
        }
        let axis = self.ints(&[1]);
        let [spans, centres] =
            [&parts.spans, &parts.centres].map(|value| self.two("Unsqueeze", value, &axis));
        let x = self.two("Mul", &x, &spans);
        self.two("Add", &x, &centres)
    }
}
