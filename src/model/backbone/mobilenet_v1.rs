//! MobileNetV1 (Howard et al., 2017, arXiv:1704.04861), cut at strides 8, 16 and 32.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::model::blocks::{ConvBn, ConvBnConfig};

/// Slope of the leaky ReLU all over this backbone.
const SLOPE: f32 = 0.1;

/// Channels of the stem at width 1.
const STEM: usize = 32;

/// Output channels at width 1 and stride of each separable convolution, by stage.
const STAGES: [&[(usize, usize)]; 3] = [
    &[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)],
    &[(512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)],
    &[(1024, 2), (1024, 1)],
];

/// A 3x3 convolution within each channel, then a 1x1 one across them.
#[derive(Module, Debug)]
pub struct Separable {
    /// 3x3, one filter a channel.
    pub depthwise: ConvBn,
    /// 1x1 across channels.
    pub pointwise: ConvBn,
}

impl Separable {
    fn new([from, to]: [usize; 2], stride: usize, device: &Device) -> Self {
        Self {
            depthwise: ConvBnConfig::new([from, from], 3)
                .stride(stride)
                .depthwise()
                .act(SLOPE)
                .init(device),
            pointwise: ConvBnConfig::new([from, to], 1).act(SLOPE).init(device),
        }
    }

    /// `[B,C,H,W]` -> `[B,O,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.pointwise.forward(self.depthwise.forward(x))
    }

    fn fold(self) -> Self {
        Self {
            depthwise: self.depthwise.fold(),
            pointwise: self.pointwise.fold(),
        }
    }
}

/// MobileNetV1 without its classifier.
#[derive(Module, Debug)]
pub struct MobilenetV1 {
    /// 3x3 convolution with stride 2.
    pub stem: ConvBn,
    /// Separable convolutions up to C3, C4, C5.
    pub stages: Vec<Vec<Separable>>,
    channels: [usize; 3],
}

impl MobilenetV1 {
    /// The network with every channel count multiplied by `width` (0.25: 8 to 256 channels).
    pub fn new(width: f32, device: &Device) -> Self {
        let scaled = |channels: usize| ((channels as f32 * width).round() as usize).max(1);
        let mut from = scaled(STEM);
        let stem = ConvBnConfig::new([3, from], 3)
            .stride(2)
            .act(SLOPE)
            .init(device);
        let mut channels = [0; 3];
        let mut stages = Vec::new();
        for (layers, last) in STAGES.iter().zip(&mut channels) {
            let mut stage = Vec::new();
            for &(to, stride) in *layers {
                let to = scaled(to);
                stage.push(Separable::new([from, to], stride, device));
                from = to;
            }
            *last = from;
            stages.push(stage);
        }
        Self {
            stem,
            stages,
            channels,
        }
    }

    /// `x` `[B,3,H,W]` -> C3, C4, C5.
    pub fn forward(&self, x: Tensor<4>) -> [Tensor<4>; 3] {
        let run = |stage: usize, x: Tensor<4>| {
            self.stages[stage]
                .iter()
                .fold(x, |x, layer| layer.forward(x))
        };
        let c3 = run(0, self.stem.forward(x)); // [B,C3,H/8,W/8]
        let c4 = run(1, c3.clone()); // [B,C4,H/16,W/16]
        let c5 = run(2, c4.clone()); // [B,C5,H/32,W/32]
        [c3, c4, c5]
    }

    /// Channels of C3, C4, C5.
    pub fn channels(&self) -> [usize; 3] {
        self.channels
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        let fold = |stage: Vec<Separable>| stage.into_iter().map(Separable::fold).collect();
        Self {
            stem: self.stem.fold(),
            stages: self.stages.into_iter().map(fold).collect(),
            channels: self.channels,
        }
    }
}
