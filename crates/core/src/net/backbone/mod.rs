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
    /// MobileNetV1 with all channels multiplied by `width`, and each layer's by `gamma` once more
    /// than the one before.
    MobilenetV1 {
        /// 1 for the full network.
        width: f32,
        /// 1 for the full network.
        gamma: f32,
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
    /// Plain convolutions and pools, with channels multiplied as in [`Self::MobilenetV1`].
    Plain {
        /// 1 for 32 to 256 channels.
        width: f32,
        /// 1 for those too.
        gamma: f32,
    },
}

/// Fewest channels of a layer.
const LEAST_CHANNELS: usize = 4;

/// How wide layers are, relative to the full network.
#[derive(Clone, Copy, Debug)]
struct Widths {
    width: f32,
    gamma: f32,
}

impl Widths {
    /// Channels of `layer`, counted from 0, that has so many in the full network: times `width` and
    /// `gamma^layer`, rounded, at least [`LEAST_CHANNELS`].
    fn of(self, layer: usize, channels: usize) -> usize {
        let factor = self.width * self.gamma.powi(layer as i32);
        ((channels as f32 * factor).round() as usize).max(LEAST_CHANNELS)
    }
}

/// A backbone with its names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backbone {
    /// Which one.
    pub kind: BackboneKind,
}

impl Backbone {
    /// `x` `[B,C,H,W]` -> C3, C4, C5 at strides 8, 16, 32: `[B,C,ceil(H/stride),ceil(W/stride)]`.
    pub fn forward<O: Ops>(&self, ops: &mut O, x: &O::Value) -> [O::Value; 3] {
        match self.kind {
            BackboneKind::MobilenetV1 { width, gamma } => {
                mobilenet_v1::forward(ops, x, Widths { width, gamma })
            }
            BackboneKind::MobilenetV3Large { width } => mobilenet_v3::forward(ops, x, width),
            BackboneKind::Resnet18 => resnet::forward(ops, x, resnet::Depth::R18),
            BackboneKind::Resnet50 => resnet::forward(ops, x, resnet::Depth::R50),
            BackboneKind::Scrfd500m => scrfd::forward(ops, x),
            BackboneKind::Plain { width, gamma } => plain::forward(ops, x, Widths { width, gamma }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Widths;

    #[test]
    fn widths_by_hand() {
        let (width, gamma) = (0.5, 1.25);
        let widths = Widths { width, gamma };
        // 32 / 2; 64 / 2 * 1.25; 64 / 2 * 1.25^2; 256 / 2 * 1.25^7 = 610.35.
        let found = [(0, 32), (1, 64), (2, 64), (7, 256)].map(|(i, c)| widths.of(i, c));
        assert_eq!(found, [16, 40, 50, 610]);
        let narrow = Widths {
            width: 0.125,
            gamma: 0.5,
        };
        assert_eq!([0, 5].map(|layer| narrow.of(layer, 32)), [4, 4]);
    }
}
