//! The detector: faces and coarse landmarks in one pass.

use super::neck::{fpn, pafpn, se, separable_pairs, ssh};
use super::norms::Norms;
use super::{Act, Backbone, Conv, Init, Ops, Padding};
use crate::settings::BoxKind;

/// Levels of the pyramid: what every backbone gives.
pub const LEVELS: usize = 3;

/// Necks of up to this many channels have leaky ReLUs, wider ones plain ones.
const LEAKY_UP_TO: usize = 64;

/// Boxes of an untrained network are not taken for larger than `e^3` anchors where landmarks are
/// relative to them.
pub const MAX_LOG_SIZE: f32 = 3.0;

/// Shape of neck and heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// RetinaFace's: FPN, SSH, 1x1 heads.
    Retinaface,
    /// SCRFD's: a path-aggregating pyramid, two separable convolutions, 3x3 heads.
    Scrfd {
        /// Of what the heads read.
        channels: usize,
    },
}

/// Shape of a detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectorNet {
    /// Image -> C3, C4, C5.
    pub backbone: Backbone,
    /// Whether convolutions have batch norms.
    pub batch_norm: bool,
    /// Channels of an image: 3, or 1 of grey ones.
    pub colours: usize,
    /// What follows.
    pub family: Family,
    /// Logits of an anchor.
    pub logits: usize,
    /// How boxes are told.
    pub boxes: BoxKind,
    /// Channels of the pyramid; where SSH follows, a multiple of 4.
    pub neck_channels: usize,
    /// Channel reduction of the attention on each level; 0 leaves it out.
    pub se_reduction: usize,
    /// 3x3 convolutions of each landmark head.
    pub tower_layers: usize,
    /// Channels of those.
    pub tower_channels: usize,
    /// Channels that the landmark heads read of the backbone itself.
    pub lateral_channels: usize,
    /// Anchors at each location.
    pub per_location: usize,
    /// Numbers of a face's landmarks: `2L`.
    pub coordinates: usize,
}

/// What the network says about a batch of B images; N anchors in the order level, y, x, anchor.
#[derive(Clone, Debug)]
pub struct DetectorOutputs<V> {
    /// `[B,N,k,1]`: background and face before their softmax, or one before its sigmoid.
    pub logits: V,
    /// `[B,N,4,1]`, in the coder's terms.
    pub box_deltas: V,
    /// `[B,C,h,w]` of each level: what the landmark heads read.
    pub features: [V; LEVELS],
}

impl DetectorNet {
    /// Of RetinaFace's neck and the landmark towers.
    pub const fn act(&self) -> Act {
        Act::Leaky(if self.feature_channels() <= LEAKY_UP_TO {
            0.1
        } else {
            0.0
        })
    }

    /// Channels of what the heads read.
    pub const fn feature_channels(&self) -> usize {
        match self.family {
            Family::Retinaface => self.neck_channels,
            Family::Scrfd { channels } => channels,
        }
    }

    /// Channels of what the landmark heads read.
    pub const fn landmark_channels(&self) -> usize {
        self.feature_channels() + self.lateral_channels
    }

    /// `x` `[B,C,H,W]` of any size -> [`DetectorOutputs`].
    pub fn forward<O: Ops>(&self, ops: &mut O, x: &O::Value) -> DetectorOutputs<O::Value> {
        let ops = &mut self.norms(ops);
        let maps = self.backbone.forward(ops, x);
        let levels = match self.family {
            Family::Retinaface => fpn(ops, &maps, self.neck_channels, self.act()),
            Family::Scrfd { .. } => pafpn(ops, &maps, self.neck_channels),
        };
        let features: [O::Value; LEVELS] = std::array::from_fn(|level| {
            let x = &levels[level];
            let x = match self.family {
                Family::Retinaface => ssh(ops, level, x, self.neck_channels, self.act()),
                Family::Scrfd { channels } => {
                    separable_pairs(ops, level, x, [self.neck_channels, channels])
                }
            };
            match self.se_reduction {
                0 => x,
                reduction => se(ops, level, &x, self.feature_channels(), reduction),
            }
        });
        let head = Conv::head;
        let logits = self.heads(ops, "class_heads", &features, head(self.logits));
        // Boxes begin about where their anchors are, which deltas do anyway: from nothing, which has no
        // area to overlap a face, distances hardly learn.
        let bias = match self.boxes {
            BoxKind::Deltas => head(4).bias,
            BoxKind::Distances => Init::Constant(0.5),
        };
        let box_deltas = self.heads(ops, "box_heads", &features, Conv { bias, ..head(4) });
        DetectorOutputs {
            logits,
            box_deltas,
            features: self.landmark_features(ops, &maps, features),
        }
    }

    /// What the heads of classes and boxes read, and beside it what a convolution of its own reads in
    /// the backbone's maps: a thin neck carries where faces are, not how they are turned.
    fn landmark_features<O: Ops>(
        &self,
        ops: &mut O,
        maps: &[O::Value; LEVELS],
        features: [O::Value; LEVELS],
    ) -> [O::Value; LEVELS] {
        if self.lateral_channels == 0 {
            return features;
        }
        let lateral = Conv::new(self.lateral_channels, 1).act(self.act());
        std::array::from_fn(|level| {
            let name = format!("landmark_heads.{level}.lateral");
            let own = ops.conv(&name, &maps[level], lateral);
            ops.concat(&[features[level].clone(), own])
        })
    }

    fn norms<'a, O>(&self, ops: &'a mut O) -> Norms<'a, O> {
        let kept = self.batch_norm;
        Norms { ops, kept }
    }

    /// Convolutions like `each`, of the numbers of one anchor, as rows.
    fn heads<O: Ops>(
        &self,
        ops: &mut O,
        name: &str,
        features: &[O::Value; LEVELS],
        each: Conv,
    ) -> O::Value {
        let kernel = match self.family {
            Family::Retinaface => 1,
            Family::Scrfd { .. } => 3,
        };
        let head = Conv {
            to: self.per_location * each.to,
            kernel,
            ..each
        };
        let maps: [O::Value; LEVELS] =
            std::array::from_fn(|i| ops.conv(&format!("{name}.{i}"), &features[i], head));
        ops.rows(&maps, each.to)
    }

    /// The landmark head of a level over a whole map: `[B,C,h,w]` ->
    /// `[B,per_location*coordinates,h,w]`. A tower of 3x3 convolutions (often none), then a 1x1
    /// convolution to the deltas of every anchor of a location: by far the widest layers of the
    /// network, which is why they can be computed for single locations
    /// ([`Self::landmarks_of_windows`]).
    pub fn landmarks<O: Ops>(&self, ops: &mut O, level: usize, x: &O::Value) -> O::Value {
        self.tower(ops, level, x, Padding::Same)
    }

    /// The same for the middles of windows of [`Self::window`] pixels each way, which are zero
    /// beyond the edge of the map: `[P,C,side,side]` -> `[P,per_location*coordinates,1,1]`.
    pub fn landmarks_of_windows<O: Ops>(
        &self,
        ops: &mut O,
        level: usize,
        x: &O::Value,
    ) -> O::Value {
        self.tower(ops, level, x, Padding::Valid)
    }

    /// Pixels each way that the landmarks of a location depend on.
    pub const fn window(&self) -> usize {
        2 * self.tower_layers + 1
    }

    fn tower<O: Ops>(&self, ops: &mut O, level: usize, x: &O::Value, padding: Padding) -> O::Value {
        let ops = &mut self.norms(ops);
        let conv = Conv::new(self.tower_channels, 3)
            .act(self.act())
            .padding(padding);
        let mut x = x.clone();
        for layer in 0..self.tower_layers {
            x = ops.conv(&format!("landmark_heads.{level}.tower.{layer}"), &x, conv);
            if padding == Padding::Valid {
                // A convolution of the whole map pads what lies beyond the edge with zeros.
                x = ops.mask(&x, self.tower_layers - 1 - layer);
            }
        }
        let out = Conv::head(self.per_location * self.coordinates);
        ops.conv(&format!("landmark_heads.{level}.out"), &x, out)
    }
}
