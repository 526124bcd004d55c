//! Backbones: image -> C3, C4, C5.

mod mobilenet_v1;
mod mobilenet_v3;
mod resnet;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

pub use mobilenet_v1::{MobilenetV1, Separable};
pub use mobilenet_v3::{MobileBlock, MobileLayer, MobilenetV3, Squeeze};
pub use resnet::{Residual, Resnet, ResnetDepth};

use crate::config::{BackboneKind, ModelConfig};

/// One of the backbones.
#[derive(Module, Debug)]
pub enum Backbone {
    /// MobileNetV1 of some width.
    MobilenetV1(MobilenetV1),
    /// MobileNetV3-Large of some width.
    MobilenetV3(MobilenetV3),
    /// ResNet-18 or ResNet-50.
    Resnet(Resnet),
}

impl Backbone {
    /// The backbone that `config` names, with random weights.
    pub fn new(config: &ModelConfig, device: &Device) -> Self {
        match config.backbone {
            BackboneKind::MobilenetV1 => {
                Self::MobilenetV1(MobilenetV1::new(config.width_multiplier, device))
            }
            BackboneKind::MobilenetV3Large => {
                Self::MobilenetV3(MobilenetV3::new(config.width_multiplier, device))
            }
            BackboneKind::Resnet18 => Self::Resnet(Resnet::new(ResnetDepth::R18, device)),
            BackboneKind::Resnet50 => Self::Resnet(Resnet::new(ResnetDepth::R50, device)),
        }
    }

    /// `x` `[B,3,H,W]` -> C3, C4, C5 at strides 8, 16, 32: `[B,C,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> [Tensor<4>; 3] {
        match self {
            Self::MobilenetV1(net) => net.forward(x),
            Self::MobilenetV3(net) => net.forward(x),
            Self::Resnet(net) => net.forward(x),
        }
    }

    /// Channels of C3, C4, C5.
    pub fn channels(&self) -> [usize; 3] {
        match self {
            Self::MobilenetV1(net) => net.channels(),
            Self::MobilenetV3(net) => net.channels(),
            Self::Resnet(net) => net.channels(),
        }
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        match self {
            Self::MobilenetV1(net) => Self::MobilenetV1(net.fold()),
            Self::MobilenetV3(net) => Self::MobilenetV3(net.fold()),
            Self::Resnet(net) => Self::Resnet(net.fold()),
        }
    }
}
