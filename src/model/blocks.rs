//! The building block of everything: convolution, batch norm, leaky ReLU.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::ops;

/// Shape of a convolution with its batch norm.
#[derive(Clone, Copy, Debug)]
pub struct ConvBnConfig {
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    groups: usize,
    slope: Option<f32>,
    epsilon: f64,
    momentum: f64,
}

impl ConvBnConfig {
    /// A `kernel` x `kernel` convolution of `channels` = `[in, out]` that keeps the size (odd
    /// kernels), without an activation.
    pub fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            groups: 1,
            slope: None,
            // PyTorch's defaults, as they are burn's.
            epsilon: 1e-5,
            momentum: 0.1,
        }
    }

    /// Output one pixel for each `stride` x `stride` block, rounded up.
    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// Connect each input channel only with its own output channel.
    pub fn depthwise(self) -> Self {
        Self {
            groups: self.channels[0],
            ..self
        }
    }

    /// End in `max(x, slope x)`; 0 is ReLU.
    pub fn act(self, slope: f32) -> Self {
        Self {
            slope: Some(slope),
            ..self
        }
    }

    /// What the batch norm adds to variances, and the share of a new batch in its running
    /// statistics; 1e-5 and 0.1 otherwise.
    pub fn norm(self, epsilon: f64, momentum: f64) -> Self {
        Self {
            epsilon,
            momentum,
            ..self
        }
    }

    /// Random weights, and a batch norm that is the identity.
    pub fn init(self, device: &Device) -> ConvBn {
        let pad = self.kernel / 2;
        let conv = Conv2dConfig::new(self.channels, [self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_groups(self.groups)
            .with_bias(false)
            .init(device);
        let norm = BatchNormConfig::new(self.channels[1])
            .with_epsilon(self.epsilon)
            .with_momentum(self.momentum)
            .init(device);
        ConvBn {
            conv,
            norm: Some(norm),
            slope: self.slope,
        }
    }
}

/// Convolution, batch norm, leaky ReLU. [`ConvBn::fold`] merges the first two.
#[derive(Module, Debug)]
pub struct ConvBn {
    /// The convolution; without a bias as long as `norm` is there.
    pub conv: Conv2d,
    /// The batch norm; `None` once folded into `conv`.
    pub norm: Option<BatchNorm>,
    #[module(skip)]
    slope: Option<f32>,
}

impl ConvBn {
    /// `x` `[B,C,H,W]` -> `[B,O,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.run(&self.conv, x)
    }

    /// Without padding: `x` `[B,C,H,W]` -> only those of the outputs that need none,
    /// `[B,O,H-kernel+1,W-kernel+1]` at stride 1.
    pub fn forward_inside(&self, x: Tensor<4>) -> Tensor<4> {
        let mut conv = self.conv.clone();
        conv.padding = PaddingConfig2d::Valid;
        self.run(&conv, x)
    }

    fn run(&self, conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
        match (&self.norm, self.slope) {
            (Some(norm), slope) => ops::batch_norm_act(norm, ops::conv2d(conv, x), slope),
            (None, Some(slope)) => ops::conv2d_act(conv, x, slope),
            (None, None) => ops::conv2d(conv, x),
        }
    }

    /// The same function with the running statistics of the batch norm multiplied into the
    /// convolution: for inference.
    pub fn fold(self) -> Self {
        let Some(norm) = self.norm else {
            return self;
        };
        let mut conv = self.conv;
        let [outputs, ..] = conv.weight.dims();
        let mean = norm.running_mean.value().detach();
        let var = norm.running_var.value().detach();
        let scale = norm.gamma.val().detach() / (var + norm.epsilon).sqrt(); // [O]
        let bias = norm.beta.val().detach() - mean * scale.clone(); // [O]
        let bias = match &conv.bias {
            None => bias,
            Some(own) => bias + own.val().detach() * scale.clone(),
        };
        let weight = conv.weight.val().detach() * scale.reshape([outputs, 1, 1, 1]);
        conv.weight = Param::from_tensor(weight);
        conv.bias = Some(Param::from_tensor(bias));
        Self {
            conv,
            norm: None,
            slope: self.slope,
        }
    }
}

/// A 1x1 convolution with a bias, as the heads use it.
pub fn conv1x1(channels: [usize; 2], device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [1, 1]).init(device)
}

/// [`ConvBn::fold`] of each one.
pub fn fold_all(blocks: Vec<ConvBn>) -> Vec<ConvBn> {
    blocks.into_iter().map(ConvBn::fold).collect()
}

/// Rows of `x` `[R,C]` at `indices`, in that order -> `[P,C]`.
pub fn select_rows(x: Tensor<2>, indices: &[usize]) -> Tensor<2> {
    let index: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
    let index = TensorData::new(index, [indices.len()]);
    let device = x.device();
    x.select(0, Tensor::<1, Int>::from_data(index, &device))
}
