//! Backbones: image -> C3, C4, C5.

mod mobilenet_v1;
mod mobilenet_v3;
mod plain;
mod resnet;
mod scrfd;

use super::Ops;

/// Backbone families.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BackboneKind {
    /// MobileNetV1 with all channels multiplied by `width`.
    MobilenetV1 {
        /// 1 for the full network.
        width: f32,
    },
    /// MobileNetV3-Large with all channels multiplied by `width`, in steps of 8.
    MobilenetV3Large {
        /// 1 for the full network.
        width: f32,
    },
    /// ResNet-18.
    Resnet18,
    /// ResNet-50.
    Resnet50,
    /// That of SCRFD-0.5GF.
    Scrfd500m,
    /// Plain convolutions and pools, with all channels multiplied by `width`.
    Plain {
        /// 1 for 32 to 256 channels.
        width: f32,
    },
}

/// A backbone with its names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backbone {
    /// Which one.
    pub kind: BackboneKind,
}

impl Backbone {
    /// `x` `[B,3,H,W]` -> C3, C4, C5 at strides 8, 16, 32: `[B,C,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward<O: Ops>(&self, ops: &mut O, x: &O::Value) -> [O::Value; 3] {
        match self.kind {
            BackboneKind::MobilenetV1 { width } => mobilenet_v1::forward(ops, x, width),
            BackboneKind::MobilenetV3Large { width } => mobilenet_v3::forward(ops, x, width),
            BackboneKind::Resnet18 => resnet::forward(ops, x, resnet::Depth::R18),
            BackboneKind::Resnet50 => resnet::forward(ops, x, resnet::Depth::R50),
            BackboneKind::Scrfd500m => scrfd::forward(ops, x),
            BackboneKind::Plain { width } => plain::forward(ops, x, width),
        }
    }
}
