//! ResNet (He et al., 2015, arXiv:1512.03385), cut at strides 8, 16 and 32. The stride of a
//! bottleneck sits on its 3x3 convolution, as in torchvision, whose weights load.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor};

use crate::model::blocks::{ConvBn, ConvBnConfig, fold_all};
use crate::ops;

/// Plain ReLU all over this backbone: that is what its published weights were trained with.
const SLOPE: f32 = 0.0;

/// Channels of the stem.
const STEM: usize = 64;

/// Which ResNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResnetDepth {
    /// 18 layers: pairs of 3x3 convolutions.
    R18,
    /// 50 layers: bottlenecks of 1x1, 3x3, 1x1.
    R50,
}

impl ResnetDepth {
    /// Blocks in each of the four stages.
    fn blocks(self) -> [usize; 4] {
        match self {
            Self::R18 => [2, 2, 2, 2],
            Self::R50 => [3, 4, 6, 3],
        }
    }

    /// Output channels of a block relative to its inner ones.
    fn expansion(self) -> usize {
        match self {
            Self::R18 => 1,
            Self::R50 => 4,
        }
    }
}

/// Some convolutions plus a way around them.
#[derive(Module, Debug)]
pub struct Residual {
    /// The convolutions in order; the last one has no activation.
    pub path: Vec<ConvBn>,
    /// 1x1 convolution around them, where shapes differ.
    pub shortcut: Option<ConvBn>,
}

impl Residual {
    fn new(depth: ResnetDepth, from: usize, inner: usize, stride: usize, device: &Device) -> Self {
        let to = inner * depth.expansion();
        let conv = |channels, kernel| ConvBnConfig::new(channels, kernel);
        let path = match depth {
            ResnetDepth::R18 => vec![
                conv([from, inner], 3).stride(stride).act(SLOPE),
                conv([inner, to], 3),
            ],
            ResnetDepth::R50 => vec![
                conv([from, inner], 1).act(SLOPE),
                conv([inner, inner], 3).stride(stride).act(SLOPE),
                conv([inner, to], 1),
            ],
        };
        let shortcut = (stride != 1 || from != to).then(|| conv([from, to], 1).stride(stride));
        Self {
            path: path.into_iter().map(|c| c.init(device)).collect(),
            shortcut: shortcut.map(|c| c.init(device)),
        }
    }

    /// `[B,C,H,W]` -> `[B,O,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x.clone()),
            None => x.clone(),
        };
        let x = self.path.iter().fold(x, |x, conv| conv.forward(x));
        ops::leaky_relu(x + around, SLOPE)
    }

    fn fold(self) -> Self {
        Self {
            path: fold_all(self.path),
            shortcut: self.shortcut.map(ConvBn::fold),
        }
    }
}

/// ResNet without its classifier.
#[derive(Module, Debug)]
pub struct Resnet {
    /// 7x7 convolution with stride 2.
    pub stem: ConvBn,
    /// 3x3 maximum with stride 2.
    pub pool: MaxPool2d,
    /// The four stages; the last three give C3, C4, C5.
    pub stages: Vec<Vec<Residual>>,
    channels: [usize; 3],
}

impl Resnet {
    /// Random weights.
    pub fn new(depth: ResnetDepth, device: &Device) -> Self {
        let mut from = STEM;
        let mut stages = Vec::new();
        for (stage, blocks) in depth.blocks().into_iter().enumerate() {
            let inner = STEM << stage;
            let first_stride = if stage == 0 { 1 } else { 2 };
            let mut layers = Vec::new();
            for block in 0..blocks {
                let stride = if block == 0 { first_stride } else { 1 };
                layers.push(Residual::new(depth, from, inner, stride, device));
                from = inner * depth.expansion();
            }
            stages.push(layers);
        }
        Self {
            stem: ConvBnConfig::new([3, STEM], 7)
                .stride(2)
                .act(SLOPE)
                .init(device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            stages,
            channels: [2, 4, 8].map(|k| STEM * k * depth.expansion()),
        }
    }

    /// `x` `[B,3,H,W]` -> C3, C4, C5.
    pub fn forward(&self, x: Tensor<4>) -> [Tensor<4>; 3] {
        let run = |stage: usize, x: Tensor<4>| {
            self.stages[stage]
                .iter()
                .fold(x, |x, layer| layer.forward(x))
        };
        let c2 = run(0, self.pool.forward(self.stem.forward(x))); // [B,C2,H/4,W/4]
        let c3 = run(1, c2); // [B,C3,H/8,W/8]
        let c4 = run(2, c3.clone()); // [B,C4,H/16,W/16]
        let c5 = run(3, c4.clone()); // [B,C5,H/32,W/32]
        [c3, c4, c5]
    }

    /// Channels of C3, C4, C5.
    pub fn channels(&self) -> [usize; 3] {
        self.channels
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        let fold = |stage: Vec<Residual>| stage.into_iter().map(Residual::fold).collect();
        Self {
            stem: self.stem.fold(),
            pool: self.pool,
            stages: self.stages.into_iter().map(fold).collect(),
            channels: self.channels,
        }
    }
}
