//! Convolution: forward pass, input gradient, weight gradient and bias gradient.

mod geometry;
mod passes;
mod product;

use crate::ops::fused::{Array, Kernel};
pub(super) use geometry::Geometry;

/// A convolution without bias: input, weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conv(pub(super) Geometry);

/// A convolution with bias: input, weight, bias.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvBias(pub(super) Geometry);

impl Kernel<2> for Conv {
    type Saved = [Array; 2];

    fn forward(&self, [x, weight]: &[Array; 2]) -> Array {
        forward(&self.0, x, weight, None)
    }

    fn save(&self, inputs: [Array; 2], _output: &Array) -> Self::Saved {
        inputs
    }

    fn backward(
        &self,
        [x, weight]: Self::Saved,
        grad: Array,
        wanted: [bool; 2],
    ) -> [Option<Array>; 2] {
        [
            wanted[0].then(|| input_gradient(&self.0, &weight, &grad)),
            wanted[1].then(|| weight_gradient(&self.0, &x, &grad)),
        ]
    }
}

impl Kernel<3> for ConvBias {
    type Saved = [Array; 2];

    fn forward(&self, [x, weight, bias]: &[Array; 3]) -> Array {
        forward(&self.0, x, weight, Some(bias.values()))
    }

    fn save(&self, [x, weight, _]: [Array; 3], _output: &Array) -> Self::Saved {
        [x, weight]
    }

    fn backward(
        &self,
        [x, weight]: Self::Saved,
        grad: Array,
        wanted: [bool; 3],
    ) -> [Option<Array>; 3] {
        [
            wanted[0].then(|| input_gradient(&self.0, &weight, &grad)),
            wanted[1].then(|| weight_gradient(&self.0, &x, &grad)),
            wanted[2].then(|| {
                let sums = passes::channel_sums(&self.0, grad.values());
                Array::from_vec(sums, [self.0.out_channels])
            }),
        ]
    }
}

fn forward(g: &Geometry, x: &Array, weight: &Array, bias: Option<&[f32]>) -> Array {
    let out = passes::forward(g, x.values(), weight.values(), bias);
    let [height, width] = g.output;
    Array::from_vec(out, [g.batch, g.out_channels, height, width])
}

fn input_gradient(g: &Geometry, weight: &Array, grad: &Array) -> Array {
    let out = passes::input_gradient(g, weight.values(), grad.values());
    let [height, width] = g.input;
    Array::from_vec(out, [g.batch, g.in_channels, height, width])
}

fn weight_gradient(g: &Geometry, x: &Array, grad: &Array) -> Array {
    let out = passes::weight_gradient(g, x.values(), grad.values());
    let per_filter = if g.depthwise { 1 } else { g.in_channels };
    Array::from_vec(out, [g.out_channels, per_filter, g.kernel[0], g.kernel[1]])
}
