//! Networks on burn's tensors: what trains.

use std::borrow::Cow;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{hard_sigmoid, hard_swish, sigmoid, softmax};
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, TensorData, module};
use retinamark_core::net::{Act, Conv, Linear, Ops, Padding, Pool};

use super::bytes::Bytes;
use super::grid::Grid;
use super::layers::{Layer, Layers, Normed};
use crate::ops;

/// Computes what a description says with the layers of a network. Values are `[B,C,H,W]`.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'a> {
    layers: &'a Layers,
    /// Where convolutions compute as in 8 bits.
    bytes: Option<&'a Bytes>,
    /// What the images are, where they were cut out of maps.
    windows: Option<Windows<'a>>,
}

/// Windows around places of a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows<'a> {
    /// Middle of each: image * height * width + y * width + x.
    pub(super) places: &'a [usize],
    /// Height and width of the map.
    pub(super) map: [usize; 2],
}

impl<'a> Forward<'a> {
    /// On whole images and maps.
    pub(super) const fn new(layers: &'a Layers, bytes: Option<&'a Bytes>) -> Self {
        Self {
            layers,
            bytes,
            windows: None,
        }
    }

    /// The same on windows.
    pub(super) const fn on_windows(self, windows: Windows<'a>) -> Self {
        Self {
            windows: Some(windows),
            ..self
        }
    }
}

impl Ops for Forward<'_> {
    type Value = Tensor<4>;

    fn conv(&mut self, name: &str, x: &Tensor<4>, conv: Conv) -> Tensor<4> {
        let own = self.layers.get(name);
        let (layer, x) = match self.bytes {
            None => (Cow::Borrowed(own), x.clone()),
            Some(bytes) => {
                let (layer, x) = bytes.applied(name, own, x.clone());
                (Cow::Owned(layer), x)
            }
        };
        match (&*layer, self.windows) {
            (Layer::Conv(of_pixels), Some(_)) if conv.kernel == 1 => {
                activate(ops::conv2d_of_pixels(of_pixels, x), conv.act)
            }
            _ => layer.forward(x, conv.padding, conv.act),
        }
    }

    fn linear(&mut self, name: &str, x: &Tensor<4>, linear: Linear) -> Tensor<4> {
        let layer = self.layers.get(name);
        layer.forward(x.clone(), Padding::Same, linear.act)
    }

    fn act(&mut self, x: &Tensor<4>, act: Act) -> Tensor<4> {
        activate(x.clone(), act)
    }

    fn add(&mut self, a: &Tensor<4>, b: &Tensor<4>) -> Tensor<4> {
        a.clone() + b.clone()
    }

    fn upsample_add(&mut self, small: &Tensor<4>, large: &Tensor<4>) -> Tensor<4> {
        ops::upsample_add(small.clone(), large.clone())
    }

    fn scale_channels(&mut self, x: &Tensor<4>, factor: &Tensor<4>) -> Tensor<4> {
        let [b, c, ..] = factor.dims();
        ops::scale_channels(x.clone(), factor.clone().reshape([b, c]))
    }

    fn mean(&mut self, x: &Tensor<4>) -> Tensor<4> {
        let [b, c, ..] = x.dims();
        ops::global_mean(x.clone()).reshape([b, c, 1, 1])
    }

    fn max_pool(&mut self, x: &Tensor<4>, pool: Pool) -> Tensor<4> {
        let options = MaxPoolOptions::new([pool.kernel; 2])
            .with_stride([pool.stride; 2])
            .with_padding([pool.pad; 2]);
        module::max_pool2d(x.clone(), options)
    }

    fn concat(&mut self, parts: &[Tensor<4>]) -> Tensor<4> {
        Tensor::cat(parts.to_vec(), 1)
    }

    fn flatten(&mut self, parts: &[Tensor<4>]) -> Tensor<4> {
        let flat = parts.iter().map(|part| part.clone().flatten::<2>(1, 3));
        column(Tensor::cat(flat.collect(), 1))
    }

    fn rows(&mut self, maps: &[Tensor<4>], k: usize) -> Tensor<4> {
        ops::head_rows(maps.to_vec(), k).unsqueeze_dim::<4>(3)
    }

    fn expected_places(&mut self, name: &str, maps: &Tensor<4>, reach: f32) -> Tensor<4> {
        let prior = self.layers.get(name);
        let maps = prior.forward(maps.clone(), Padding::Same, Act::None);
        let [crops, points, height, width] = maps.dims();
        let pixels = height * width;
        let shares = softmax(maps.reshape([crops, points, pixels]), 2);
        let grid = Grid {
            size: [height, width],
            reach,
        };
        let places: Vec<f32> = grid.places().flatten().collect();
        let places = TensorData::new(places, [pixels, 2]);
        let places = Tensor::<2>::from_data(places, &shares.device());
        shares
            .reshape([crops * points, pixels])
            .matmul(places) // [B*L,2]
            .reshape([crops, 2 * points, 1, 1])
    }

    fn mask(&mut self, x: &Tensor<4>, margin: usize) -> Tensor<4> {
        let inside = self.windows.map(|windows| windows.inside(margin));
        let Some(inside) = inside.filter(|inside| inside.contains(&0.0)) else {
            return x.clone();
        };
        let [places, _, height, width] = x.dims();
        let inside = TensorData::new(inside, [places, 1, height, width]);
        x.clone() * Tensor::<4>::from_data(inside, &x.device())
    }
}

impl Windows<'_> {
    /// For each pixel of the windows of which `radius` pixels each way are left: 1 where the map has
    /// it and 0 beyond the edge.
    fn inside(&self, radius: usize) -> Vec<f32> {
        let [height, width] = self.map;
        let within =
            |at: usize, step: usize, side: usize| at + step >= radius && at + step < side + radius;
        let side = 2 * radius + 1;
        let mut mask = Vec::with_capacity(self.places.len() * side * side);
        for &place in self.places {
            let (y, x) = (place / width % height, place % width);
            for dy in 0..side {
                let row = within(y, dy, height);
                mask.extend((0..side).map(|dx| f32::from(row && within(x, dx, width))));
            }
        }
        mask
    }
}

impl Layer {
    /// What the layer and an activation make of `x`: a convolution with its own padding or, where it
    /// is to be [`Padding::Valid`], none; a fully connected layer `[B,C,H,W]` -> `[B,to,1,1]`; a
    /// table its sum with each image.
    fn forward(&self, x: Tensor<4>, padding: Padding, act: Act) -> Tensor<4> {
        // The kernels know this one kind.
        let (slope, rest) = match act {
            Act::Leaky(slope) => (Some(slope), Act::None),
            other => (None, other),
        };
        match self {
            Self::Normed(Normed { conv, norm }) => {
                let x = ops::conv2d(&padded(conv, padding), x);
                activate(ops::batch_norm_act(norm, x, slope), rest)
            }
            Self::Conv(conv) => {
                let conv = padded(conv, padding);
                let x = match slope {
                    Some(slope) => ops::conv2d_act(&conv, x, slope),
                    None => ops::conv2d(&conv, x),
                };
                activate(x, rest)
            }
            Self::Linear(linear) => activate(column(linear.forward(x.flatten::<2>(1, 3))), act),
            Self::Table(table) => {
                let [_, channels, height, width] = x.dims();
                let table = table.val().reshape([1, channels, height, width]);
                activate(x + table, act)
            }
        }
    }
}

fn padded(conv: &Conv2d, padding: Padding) -> Cow<'_, Conv2d> {
    match padding {
        Padding::Same => Cow::Borrowed(conv),
        Padding::Valid => {
            let mut conv = conv.clone();
            conv.padding = PaddingConfig2d::Valid;
            Cow::Owned(conv)
        }
    }
}

fn activate(x: Tensor<4>, act: Act) -> Tensor<4> {
    match act {
        Act::None => x,
        Act::Leaky(slope) => ops::leaky_relu(x, slope),
        Act::Clip { low, high } => x.clamp(low, high),
        Act::HardSwish => hard_swish(x),
        Act::HardSigmoid => hard_sigmoid(x, 1.0 / 6.0, 0.5),
        Act::Sigmoid { scale } => sigmoid(x) * scale,
    }
}

/// `[B,n]` -> `[B,n,1,1]`.
fn column(x: Tensor<2>) -> Tensor<4> {
    let [b, n] = x.dims();
    x.reshape([b, n, 1, 1])
}
