//! Feature pyramid (Lin et al., 2016, arXiv:1612.03144): C3, C4, C5 -> P3, P4, P5.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::blocks::{ConvBn, ConvBnConfig, fold_all};
use crate::ops;

/// Feature pyramid with nearest upsampling to the size of the finer level, so that any input
/// size works.
#[derive(Module, Debug)]
pub struct Fpn {
    /// 1x1 convolutions of C3, C4, C5.
    pub lateral: Vec<ConvBn>,
    /// 3x3 convolutions of the sums at P3 and P4.
    pub merge: Vec<ConvBn>,
}

impl Fpn {
    /// From `inputs` channels of C3, C4, C5 to `channels` on each level, with leaky ReLUs of
    /// `slope`.
    pub fn new(inputs: [usize; 3], channels: usize, slope: f32, device: &Device) -> Self {
        let conv = |from, kernel| {
            ConvBnConfig::new([from, channels], kernel)
                .act(slope)
                .init(device)
        };
        Self {
            lateral: inputs.into_iter().map(|from| conv(from, 1)).collect(),
            merge: (0..2).map(|_| conv(channels, 3)).collect(),
        }
    }

    /// C3, C4, C5 -> P3, P4, P5: sizes stay, `[B,channels,h,w]` each.
    pub fn forward(&self, [c3, c4, c5]: [Tensor<4>; 3]) -> [Tensor<4>; 3] {
        let p5 = self.lateral[2].forward(c5);
        let p4 = ops::upsample_add(p5.clone(), self.lateral[1].forward(c4));
        let p4 = self.merge[1].forward(p4);
        let p3 = ops::upsample_add(p4.clone(), self.lateral[0].forward(c3));
        let p3 = self.merge[0].forward(p3);
        [p3, p4, p5]
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        Self {
            lateral: fold_all(self.lateral),
            merge: fold_all(self.merge),
        }
    }
}
