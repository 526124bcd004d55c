//! MobileNetV3-Large (Howard et al., 2019, arXiv:1905.02244), cut at strides 8, 16 and 32. Layers
//! are counted as in torchvision, whose weights load.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{hard_sigmoid, hard_swish};
use burn::tensor::{Device, Tensor};

use crate::model::blocks::{ConvBn, ConvBnConfig, conv1x1};
use crate::ops;

/// Of all batch norms here: what the published weights were trained with.
const EPSILON: f64 = 1e-3;

/// As [`EPSILON`].
const MOMENTUM: f64 = 0.01;

/// Channels of the stem at width 1.
const STEM: usize = 16;

/// Channels of the last convolution relative to its input.
const LAST: usize = 6;

/// What follows a convolution.
#[derive(Clone, Copy)]
enum Act {
    Relu,
    HardSwish,
}

/// A block: kernel, expanded and output channels (at width 1 in the table), whether it has
/// squeeze-and-excitation, stride.
type Row = (usize, usize, usize, bool, usize);

/// Table 1 of the paper by stage, without its first and last convolutions.
const STAGES: [&[Row]; 3] = [
    &[
        (3, 16, 16, false, 1),
        (3, 64, 24, false, 2),
        (3, 72, 24, false, 1),
        (5, 72, 40, true, 2),
        (5, 120, 40, true, 1),
        (5, 120, 40, true, 1),
    ],
    &[
        (3, 240, 80, false, 2),
        (3, 200, 80, false, 1),
        (3, 184, 80, false, 1),
        (3, 184, 80, false, 1),
        (3, 480, 112, true, 1),
        (3, 672, 112, true, 1),
    ],
    &[
        (5, 672, 160, true, 2),
        (5, 960, 160, true, 1),
        (5, 960, 160, true, 1),
    ],
];

/// In the blocks of each stage.
const ACTS: [Act; 3] = [Act::Relu, Act::HardSwish, Act::HardSwish];

/// The multiple of 8 next to `channels`, from 8 on; the one above where the next takes more than a
/// tenth away.
fn divisible(channels: f32) -> usize {
    let nearest = ((channels + 4.0) as usize / 8 * 8).max(8);
    if (nearest as f32) < 0.9 * channels {
        nearest + 8
    } else {
        nearest
    }
}

fn conv(channels: [usize; 2], kernel: usize) -> ConvBnConfig {
    ConvBnConfig::new(channels, kernel).norm(EPSILON, MOMENTUM)
}

/// Squeeze-and-excitation (Hu et al., 2017, arXiv:1709.01507) with a hard sigmoid.
#[derive(Module, Debug)]
pub struct Squeeze {
    /// 1x1, channels -> a quarter of them.
    pub reduce: Conv2d,
    /// 1x1, back again.
    pub expand: Conv2d,
}

impl Squeeze {
    fn new(channels: usize, device: &Device) -> Self {
        let middle = divisible((channels / 4) as f32);
        Self {
            reduce: conv1x1([channels, middle], device),
            expand: conv1x1([middle, channels], device),
        }
    }

    /// `[B,C,H,W]` -> `[B,C,H,W]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [b, c, ..] = x.dims();
        let mean = ops::global_mean(x.clone()).reshape([b, c, 1, 1]); // [B,C,1,1]
        let middle = ops::conv2d_act(&self.reduce, mean, 0.0); // [B,C/4,1,1]
        let factor = ops::conv2d(&self.expand, middle); // [B,C,1,1]
        let factor = hard_sigmoid(factor, 1.0 / 6.0, 0.5);
        ops::scale_channels(x, factor.reshape([b, c]))
    }
}

/// One layer of a block.
#[derive(Module, Debug)]
pub enum MobileLayer {
    /// Convolution and batch norm, perhaps ReLU.
    Conv(ConvBn),
    /// Convolution, batch norm, `x * hard_sigmoid(x)`.
    HardSwish(ConvBn),
    /// Channel attention.
    Squeeze(Squeeze),
}

impl MobileLayer {
    fn new(config: ConvBnConfig, act: Act, device: &Device) -> Self {
        match act {
            Act::Relu => Self::Conv(config.act(0.0).init(device)),
            Act::HardSwish => Self::HardSwish(config.init(device)),
        }
    }

    /// `[B,C,H,W]` -> `[B,O,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::HardSwish(conv) => hard_swish(conv.forward(x)),
            Self::Squeeze(squeeze) => squeeze.forward(x),
        }
    }

    fn fold(self) -> Self {
        match self {
            Self::Conv(conv) => Self::Conv(conv.fold()),
            Self::HardSwish(conv) => Self::HardSwish(conv.fold()),
            Self::Squeeze(squeeze) => Self::Squeeze(squeeze),
        }
    }
}

/// Inverted residual (Sandler et al., 2018, arXiv:1801.04381): more channels, a convolution within
/// each, fewer channels.
#[derive(Module, Debug)]
pub struct MobileBlock {
    /// The layers in order.
    pub path: Vec<MobileLayer>,
    /// Whether the input is added to the output.
    #[module(skip)]
    around: bool,
}

impl MobileBlock {
    fn new(from: usize, row: Row, act: Act, device: &Device) -> Self {
        let (kernel, inner, to, squeeze, stride) = row;
        let depthwise = conv([inner, inner], kernel).stride(stride).depthwise();
        let mut path = Vec::new();
        // The first block has all its channels from the start.
        if inner != from {
            path.push(MobileLayer::new(conv([from, inner], 1), act, device));
        }
        path.push(MobileLayer::new(depthwise, act, device));
        if squeeze {
            path.push(MobileLayer::Squeeze(Squeeze::new(inner, device)));
        }
        path.push(MobileLayer::Conv(conv([inner, to], 1).init(device)));
        Self {
            path,
            around: stride == 1 && from == to,
        }
    }

    /// The convolution that ends the network, as a block of its own.
    fn last(channels: [usize; 2], device: &Device) -> Self {
        Self {
            path: vec![MobileLayer::new(conv(channels, 1), Act::HardSwish, device)],
            around: false,
        }
    }

    /// `[B,C,H,W]` -> `[B,O,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let around = self.around.then(|| x.clone());
        let x = self.path.iter().fold(x, |x, layer| layer.forward(x));
        match around {
            Some(around) => x + around,
            None => x,
        }
    }

    fn fold(self) -> Self {
        Self {
            path: self.path.into_iter().map(MobileLayer::fold).collect(),
            around: self.around,
        }
    }
}

/// MobileNetV3-Large without its classifier.
#[derive(Module, Debug)]
pub struct MobilenetV3 {
    /// 3x3 convolution with stride 2; its activation follows in [`MobilenetV3::forward`].
    pub stem: ConvBn,
    /// Blocks up to C3, C4, C5.
    pub stages: Vec<Vec<MobileBlock>>,
    channels: [usize; 3],
}

impl MobilenetV3 {
    /// The network with every channel count multiplied by `width`, in steps of 8 (1: 40, 112 and
    /// 960 channels).
    pub fn new(width: f32, device: &Device) -> Self {
        let scaled = |channels: usize| divisible(channels as f32 * width);
        let mut from = scaled(STEM);
        let stem = conv([3, from], 3).stride(2).init(device);
        let mut channels = [0; 3];
        let mut stages = Vec::new();
        for ((rows, act), last) in STAGES.iter().zip(ACTS).zip(&mut channels) {
            let mut stage = Vec::new();
            for &(kernel, inner, to, squeeze, stride) in *rows {
                let row = (kernel, scaled(inner), scaled(to), squeeze, stride);
                stage.push(MobileBlock::new(from, row, act, device));
                from = scaled(to);
            }
            *last = from;
            stages.push(stage);
        }
        channels[2] = LAST * from;
        stages[2].push(MobileBlock::last([from, channels[2]], device));
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
                .fold(x, |x, block| block.forward(x))
        };
        let c3 = run(0, hard_swish(self.stem.forward(x))); // [B,C3,H/8,W/8]
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
        let fold = |stage: Vec<MobileBlock>| stage.into_iter().map(MobileBlock::fold).collect();
        Self {
            stem: self.stem.fold(),
            stages: self.stages.into_iter().map(fold).collect(),
            channels: self.channels,
        }
    }
}
