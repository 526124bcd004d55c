//! The landmark head; the class and box heads are plain 1x1 convolutions.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, TensorData};

use super::blocks::{ConvBn, ConvBnConfig, conv1x1, fold_all, select_rows};
use crate::config::ModelConfig;
use crate::ops;

/// A tower of 3x3 convolutions (often none), then a 1x1 convolution to the deltas of every anchor
/// of a location. These are by far the widest layers of the network, which is why they can be
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

    /// Deltas of every anchor: neck features `[B,C,H,W]` -> `[B,anchors*coordinates,H,W]`.
    pub fn everywhere(&self, features: Tensor<4>) -> Tensor<4> {
        let x = self.tower.iter().fold(features, |x, conv| conv.forward(x));
        ops::conv2d(&self.out, x)
    }

    /// Deltas of single anchors: neck features `[B,C,H,W]`, `places` = image*H*W + y*W + x and
    /// `anchors` within the location, of the same length P -> `[P,coordinates]`. While the batch
    /// norms of a tower learn, their statistics are those of the windows around the places.
    pub fn at(
        &self,
        features: Tensor<4>,
        places: &[usize],
        anchors: &[usize],
        coordinates: usize,
    ) -> Tensor<2> {
        let [outputs, channels, ..] = self.out.weight.dims();
        let per_location = outputs / coordinates;
        let pixels = self.at_places(features, places); // [P,C]
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

    /// What `out` reads at `places`: neck features `[B,neck,H,W]` -> `[P,C]`.
    fn at_places(&self, features: Tensor<4>, places: &[usize]) -> Tensor<2> {
        if self.tower.is_empty() {
            return ops::gather_pixels(features, places);
        }
        let [_, _, height, width] = features.dims();
        let mut radius = self.tower.len();
        let mut x = ops::gather_windows(features, places, radius); // [P,C,2r+1,2r+1]
        for conv in &self.tower {
            x = conv.forward_inside(x);
            radius -= 1;
            if let Some(inside) = inside(places, [height, width], radius) {
                // A convolution of the whole map pads what lies beyond the edge with zeros.
                let side = 2 * radius + 1;
                let mask = TensorData::new(inside, [places.len(), 1, side, side]);
                let mask = Tensor::<4>::from_data(mask, &x.device());
                x = x * mask;
            }
        }
        let channels = x.dims()[1];
        x.reshape([places.len(), channels])
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        Self {
            tower: fold_all(self.tower),
            out: self.out,
        }
    }
}

/// For each pixel of the windows of `radius` around `places` 1 where the map of `size` has it and
/// 0 beyond the edge; `None` when all windows lie inside.
fn inside(places: &[usize], [height, width]: [usize; 2], radius: usize) -> Option<Vec<f32>> {
    let within =
        |at: usize, step: usize, side: usize| at + step >= radius && at + step < side + radius;
    let side = 2 * radius + 1;
    let mut mask = Vec::with_capacity(places.len() * side * side);
    for &place in places {
        let (y, x) = (place / width % height, place % width);
        for dy in 0..side {
            let row = within(y, dy, height);
            mask.extend((0..side).map(|dx| f32::from(row && within(x, dx, width))));
        }
    }
    mask.contains(&0.0).then_some(mask)
}
