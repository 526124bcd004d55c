//! The landmark head; the class and box heads are plain 1x1 convolutions.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use super::blocks::{ConvBn, ConvBnConfig, conv1x1, fold_all, select_rows};
use crate::config::ModelConfig;
use crate::ops;

/// A tower of 3x3 convolutions (often none), then a 1x1 convolution to the deltas of every anchor
/// of a location. The last one is by far the widest layer of the network, which is why it can be
/// computed for single locations.
#[derive(Module, Debug)]
pub struct LandmarkHead {
    /// 3x3 convolutions.
    pub tower: Vec<ConvBn>,
    /// `[tower or neck channels]` -> anchors x coordinates.
    pub out: Conv2d,
}

impl LandmarkHead {
    /// From the neck's channels to `outputs` = anchors x coordinates of a location.
    pub fn new(config: &ModelConfig, outputs: usize, slope: f32, device: &Device) -> Self {
        let mut from = config.neck_channels;
        let mut tower = Vec::new();
        for _ in 0..config.landmark_tower_layers {
            let channels = [from, config.landmark_tower_channels];
            tower.push(ConvBnConfig::new(channels, 3).act(slope).init(device));
            from = config.landmark_tower_channels;
        }
        Self {
            tower,
            out: conv1x1([from, outputs], device),
        }
    }

    /// What `out` reads: `[B,neck,H,W]` -> `[B,C,H,W]`.
    pub fn features(&self, x: Tensor<4>) -> Tensor<4> {
        self.tower.iter().fold(x, |x, conv| conv.forward(x))
    }

    /// Deltas of every anchor: features `[B,C,H,W]` -> `[B,anchors*coordinates,H,W]`.
    pub fn everywhere(&self, features: Tensor<4>) -> Tensor<4> {
        ops::conv2d(&self.out, features)
    }

    /// Deltas of single anchors: features `[B,C,H,W]`, `places` = image*H*W + y*W + x and `anchors`
    /// within the location, of the same length P -> `[P,coordinates]`.
    pub fn at(
        &self,
        features: Tensor<4>,
        places: &[usize],
        anchors: &[usize],
        coordinates: usize,
    ) -> Tensor<2> {
        let [outputs, channels, ..] = self.out.weight.dims();
        let per_location = outputs / coordinates;
        let pixels = ops::gather_pixels(features, places); // [P,C]
        let weight = self.out.weight.val().reshape([outputs, channels]); // [A*2L,C]
        let mut deltas = pixels.matmul(weight.transpose()); // [P,A*2L]
        if let Some(bias) = &self.out.bias {
            deltas = deltas + bias.val().reshape([1, outputs]);
        }
        let rows = deltas.reshape([places.len() * per_location, coordinates]); // [P*A,2L]
        let picked: Vec<usize> = (0..places.len())
            .map(|row| row * per_location + anchors[row])
            .collect();
        select_rows(rows, &picked)
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        Self {
            tower: fold_all(self.tower),
            out: self.out,
        }
    }
}
