//! Context module of SSH (Najibi et al., 2017, arXiv:1708.03979): three receptive fields side by
//! side.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::blocks::{ConvBn, ConvBnConfig};
use crate::ops;

/// Half the channels from a 3x3 convolution, a quarter each from two and from three in a row
/// (5x5 and 7x7 receptive fields, the first convolution shared).
#[derive(Module, Debug)]
pub struct Ssh {
    /// The 3x3 path.
    pub conv3: ConvBn,
    /// First convolution of the 5x5 and 7x7 paths.
    pub conv5_1: ConvBn,
    /// Second convolution of the 5x5 path.
    pub conv5_2: ConvBn,
    /// Second convolution of the 7x7 path.
    pub conv7_2: ConvBn,
    /// Third convolution of the 7x7 path.
    pub conv7_3: ConvBn,
}

impl Ssh {
    /// `channels` (a multiple of 4) in and out; inner leaky ReLUs of `slope`.
    pub fn new(channels: usize, slope: f32, device: &Device) -> Self {
        let quarter = channels / 4;
        let conv = |from, to| ConvBnConfig::new([from, to], 3);
        Self {
            conv3: conv(channels, channels / 2).init(device),
            conv5_1: conv(channels, quarter).act(slope).init(device),
            conv5_2: conv(quarter, quarter).init(device),
            conv7_2: conv(quarter, quarter).act(slope).init(device),
            conv7_3: conv(quarter, quarter).init(device),
        }
    }

    /// `[B,C,H,W]` -> `[B,C,H,W]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let narrow = self.conv3.forward(x.clone()); // [B,C/2,H,W]
        let shared = self.conv5_1.forward(x); // [B,C/4,H,W]
        let middle = self.conv5_2.forward(shared.clone());
        let wide = self.conv7_3.forward(self.conv7_2.forward(shared));
        ops::leaky_relu(Tensor::cat(vec![narrow, middle, wide], 1), 0.0)
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        Self {
            conv3: self.conv3.fold(),
            conv5_1: self.conv5_1.fold(),
            conv5_2: self.conv5_2.fold(),
            conv7_2: self.conv7_2.fold(),
            conv7_3: self.conv7_3.fold(),
        }
    }
}
