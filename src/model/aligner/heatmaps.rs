//! Where each landmark is on a map of the crop, as the mean of a distribution over its pixels.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::blocks::{ConvBn, ConvBnConfig, conv1x1, fold_all};
use crate::ops;

/// Slope of the leaky ReLUs.
const SLOPE: f32 = 0.1;

/// How far around the mean shape a landmark is first looked for: standard deviation, share of the
/// crop's side.
const START_SPREAD: f32 = 0.12;

/// C3, C4 and C5 brought together at stride 8, one map for each landmark, and the expected place
/// under its softmax (integral regression, Sun et al., 2018, arXiv:1711.08229). What moves in the
/// crop moves in the map, which a linear layer over all pixels has to learn from many faces.
#[derive(Module, Debug)]
pub struct Heatmaps {
    /// 1x1 convolutions of C3, C4, C5.
    pub lateral: Vec<ConvBn>,
    /// 3x3 within each channel, then 1x1 across them.
    pub mix: Vec<ConvBn>,
    /// To one map for each landmark.
    pub logits: Conv2d,
    /// Where each landmark is to be expected, `[L,H*W]`; added to its map.
    pub prior: Param<Tensor<2>>,
    side: usize,
}

/// The pixels of a map of a crop.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Its side, pixels of the map.
    pub side: usize,
    /// Distance from the middle of the crop to its edge, in the coder's terms.
    pub reach: f32,
}

impl Grid {
    /// `[x, y]` of each pixel's centre in the coder's terms, row by row.
    fn places(self) -> impl Iterator<Item = [f32; 2]> {
        let place = move |i: usize| ((i as f32 + 0.5) / self.side as f32 * 2.0 - 1.0) * self.reach;
        (0..self.side * self.side).map(move |i| [place(i % self.side), place(i / self.side)])
    }
}

impl Heatmaps {
    /// For `points` landmarks, from `inputs` channels of C3, C4 and C5, with `channels` in
    /// between, on crops whose C3 has `side` pixels each way.
    pub fn new(
        inputs: [usize; 3],
        channels: usize,
        points: usize,
        side: usize,
        device: &Device,
    ) -> Self {
        let lateral = |from| {
            ConvBnConfig::new([from, channels], 1)
                .act(SLOPE)
                .init(device)
        };
        let mix = [
            ConvBnConfig::new([channels; 2], 3).depthwise().act(SLOPE),
            ConvBnConfig::new([channels; 2], 1).act(SLOPE),
        ];
        Self {
            lateral: inputs.into_iter().map(lateral).collect(),
            mix: mix.into_iter().map(|block| block.init(device)).collect(),
            logits: conv1x1([channels, points], device),
            prior: Param::from_tensor(Tensor::zeros([points, side * side], device)),
            side,
        }
    }

    /// Expect each landmark at first around its place in a mean shape (`2L` deltas).
    pub fn with_mean_shape(mut self, mean: &[f32], reach: f32) -> Self {
        let grid = Grid {
            side: self.side,
            reach,
        };
        let spread = 2.0 * reach * START_SPREAD;
        let prior = mean.chunks_exact(2).flat_map(|mean| {
            grid.places().map(move |[x, y]| {
                let square = (x - mean[0]).powi(2) + (y - mean[1]).powi(2);
                -square / (2.0 * spread * spread)
            })
        });
        let shape = self.prior.dims();
        let prior = TensorData::new(prior.collect::<Vec<f32>>(), shape);
        let device = self.prior.device();
        self.prior = Param::from_tensor(Tensor::from_data(prior, &device));
        self
    }

    /// C3, C4, C5 of B crops, whose edges are `reach` from their middle -> `[B,2L]`, in the coder's
    /// terms.
    pub fn forward(&self, maps: &[Tensor<4>; 3], reach: f32) -> Tensor<2> {
        let [c3, c4, c5] = [0, 1, 2].map(|i| self.lateral[i].forward(maps[i].clone()));
        let x = ops::upsample_add(ops::upsample_add(c5, c4), c3); // [B,c,H,W]
        let x = self.mix.iter().fold(x, |x, block| block.forward(x));
        let maps = ops::conv2d(&self.logits, x); // [B,L,H,W]
        let [crops, points, height, width] = maps.dims();
        let pixels = height * width;
        let prior = self.prior.val().reshape([1, points, pixels]);
        let shares = softmax(maps.reshape([crops, points, pixels]) + prior, 2);
        let grid = Grid {
            side: self.side,
            reach,
        };
        let places: Vec<f32> = grid.places().flatten().collect();
        let places = TensorData::new(places, [pixels, 2]);
        let places = Tensor::<2>::from_data(places, &shares.device());
        shares
            .reshape([crops * points, pixels])
            .matmul(places) // [B*L,2]
            .reshape([crops, 2 * points])
    }

    /// Batch norms folded into the convolutions.
    pub fn fold(self) -> Self {
        Self {
            lateral: fold_all(self.lateral),
            mix: fold_all(self.mix),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_at_their_centres() {
        let grid = Grid {
            side: 2,
            reach: 4.0,
        };
        let places: Vec<_> = grid.places().collect();
        assert_eq!(places, [[-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0], [2.0, 2.0]]);
    }
}
