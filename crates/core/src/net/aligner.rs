//! The aligner: the upright crop of one face -> its landmarks.
//!
//! A backbone, its three feature maps reduced to few channels (or the last one as it is), flattened,
//! and one linear layer around the mean shape (as in PFLD, Guo et al., 2019, arXiv:1902.10859); optionally heatmaps
//! beside it, whose expected places the linear layer then only corrects; a scale of the Laplace
//! distribution around every landmark; and the turn of the head. A crop is one anchor: landmarks are deltas in the coder's
//! terms of the square that the face fills.

use super::norms::Norms;
use super::{Act, Backbone, Conv, Init, Linear, Ops};
use crate::settings::Features;

/// Behind the backbone.
const ACT: Act = Act::Leaky(0.1);

/// What the scales start at, as a logarithm: about where a briefly trained network stands.
const START_LOG_SCALE: f32 = -1.0;

/// How much smaller than usual the linear layers start, so that the first guess is the mean shape of a
/// head that looks into the camera.
const START_GAIN: f64 = 0.1;

/// Shape of an aligner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignerNet {
    /// Crop -> C3, C4, C5.
    pub backbone: Backbone,
    /// Whether convolutions have batch norms.
    pub batch_norm: bool,
    /// Channels of an image: 3, or 1 of grey ones.
    pub colours: usize,
    /// Side of the crops, pixels.
    pub side: usize,
    /// What the linear layer reads.
    pub features: Features,
    /// Channels that C3, C4 and C5 are reduced to, where it reads all three.
    pub channels: [usize; 3],
    /// Channels of the heatmaps; 0: none.
    pub heatmap_channels: usize,
    /// Whether every landmark has a scale.
    pub uncertainty: bool,
    /// Whether the turn of the head is told.
    pub pose: bool,
    /// Landmarks.
    pub points: usize,
    /// Distance from the middle of a crop to its edge, in the coder's terms.
    pub reach: f32,
}

/// What the network says about B crops.
#[derive(Clone, Debug)]
pub struct AlignerOutputs<V> {
    /// `[B,2L,1,1]`, x before y, in the coder's terms.
    pub deltas: V,
    /// `[B,L,1,1]`: logarithm of the scale of the Laplace distribution of both coordinates' errors,
    /// in the same terms.
    pub log_scales: Option<V>,
    /// `[B,3,1,1]`: pitch, yaw and roll of the head in the crop, radians (see
    /// [`HeadPose`](crate::geometry::HeadPose)).
    pub pose: Option<V>,
}

impl<V> AlignerOutputs<V> {
    /// Those that there are, by the names of outputs of graphs and ONNX files.
    pub fn named(self) -> Vec<(&'static str, V)> {
        let mut named = vec![("deltas", self.deltas)];
        named.extend(self.log_scales.map(|scales| ("log_scales", scales)));
        named.extend(self.pose.map(|pose| ("pose", pose)));
        named
    }
}

impl AlignerNet {
    /// `x` `[B,C,side,side]` -> [`AlignerOutputs`].
    pub fn forward<O: Ops>(&self, ops: &mut O, x: &O::Value) -> AlignerOutputs<O::Value> {
        let kept = self.batch_norm;
        let ops = &mut Norms { ops, kept };
        let maps = self.backbone.forward(ops, x);
        let read = match self.features {
            Features::Scales => self.reduced(ops, &maps).to_vec(),
            Features::Last => vec![maps[2].clone()],
        };
        let flat = match &read[..] {
            [only] => only.clone(),
            parts => ops.flatten(parts),
        };
        let points = Linear {
            weight: Init::Uniform { gain: START_GAIN },
            bias: Init::Uniform { gain: START_GAIN },
            ..Linear::new(2 * self.points)
        };
        let deltas = ops.linear("points", &flat, points);
        let log_scales = self.uncertainty.then(|| {
            let scales = Linear {
                weight: Init::Constant(0.0),
                bias: Init::Constant(START_LOG_SCALE),
                ..Linear::new(self.points)
            };
            ops.linear("scales", &read[read.len() - 1], scales)
        });
        let pose = self.pose.then(|| {
            let angles = Linear {
                weight: Init::Uniform { gain: START_GAIN },
                bias: Init::Constant(0.0),
                ..Linear::new(3)
            };
            ops.linear("pose", &read[read.len() - 1], angles)
        });
        let deltas = match self.heatmap_channels {
            0 => deltas,
            _ => {
                let on_maps = self.heatmaps(ops, &maps);
                ops.add(&on_maps, &deltas)
            }
        };
        AlignerOutputs {
            deltas,
            log_scales,
            pose,
        }
    }

    /// C3, C4 and C5 with few channels each.
    fn reduced<O: Ops>(&self, ops: &mut O, maps: &[O::Value; 3]) -> [O::Value; 3] {
        let mut reduced: [O::Value; 3] = std::array::from_fn(|i| {
            let reduce = Conv::new(self.channels[i], 1).act(ACT);
            ops.conv(&format!("reduce.{i}"), &maps[i], reduce)
        });
        // C3 else were most of the inputs.
        let halve = Conv::new(self.channels[0], 3).stride(2).act(ACT);
        reduced[0] = ops.conv("halve", &reduced[0], halve);
        reduced
    }

    /// C3, C4 and C5 brought together at stride 8, one map for each landmark, and the expected
    /// place under its softmax. What moves in the crop moves in the map, which a linear layer over
    /// all pixels has to learn from many faces.
    fn heatmaps<O: Ops>(&self, ops: &mut O, maps: &[O::Value; 3]) -> O::Value {
        let channels = self.heatmap_channels;
        let lateral = Conv::new(channels, 1).act(ACT);
        let [c3, c4, c5] =
            [0, 1, 2].map(|i| ops.conv(&format!("heatmaps.lateral.{i}"), &maps[i], lateral));
        let x = ops.upsample_add(&c5, &c4);
        let x = ops.upsample_add(&x, &c3);
        let within = Conv::new(channels, 3).depthwise().act(ACT);
        let x = ops.conv("heatmaps.mix.0", &x, within);
        let x = ops.conv("heatmaps.mix.1", &x, lateral);
        let maps = ops.conv("heatmaps.logits", &x, Conv::head(self.points));
        ops.expected_places("heatmaps.prior", &maps, self.reach)
    }
}
