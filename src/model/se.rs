//! Squeeze-and-excitation (Hu et al., 2017, arXiv:1709.01507) that begins as the identity.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

use crate::ops;

/// Scales each channel by `2 sigmoid(expand(relu(reduce(mean))))`. `expand` starts at zero, so
/// that the factor starts at 1 and loaded weights keep their outputs.
#[derive(Module, Debug)]
pub struct SeBlock {
    /// channels -> channels / reduction.
    pub reduce: Linear,
    /// channels / reduction -> channels.
    pub expand: Linear,
}

impl SeBlock {
    /// For `channels`, with at least one channel in the middle.
    pub fn new(channels: usize, reduction: usize, device: &Device) -> Self {
        let middle = (channels / reduction).max(1);
        Self {
            reduce: LinearConfig::new(channels, middle).init(device),
            expand: LinearConfig::new(middle, channels)
                .with_initializer(Initializer::Zeros)
                .init(device),
        }
    }

    /// `[B,C,H,W]` -> `[B,C,H,W]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mean = ops::global_mean(x.clone()); // [B,C]
        let middle = relu(self.reduce.forward(mean)); // [B,C/r]
        let factor = sigmoid(self.expand.forward(middle)) * 2.0; // [B,C]
        ops::scale_channels(x, factor)
    }
}
