//! Convolution: forward pass, input gradient, weight gradient and bias gradient.

mod correlate;
mod geometry;
mod passes;
mod product;
mod task;
mod weights;

use crate::ops::fused::{Array, Kernel};
use crate::ops::pointwise::leak;
pub(super) use geometry::Geometry;

/// A convolution without bias: input, weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conv(pub(super) Geometry);

/// A convolution with bias, then perhaps `max(x, slope x)`: input, weight, bias.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvBias {
    pub(super) geometry: Geometry,
    /// 0 to 1.
    pub(super) slope: Option<f32>,
}

impl Kernel<2> for Conv {
    type Saved = [Array; 2];

    fn forward(&self, [x, weight]: &mut [Array; 2]) -> Array {
        forward(&self.0, x, weight, None, None)
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
    /// Input, weight, and the output where there is an activation.
    type Saved = ([Array; 2], Option<Array>);

    fn forward(&self, [x, weight, bias]: &mut [Array; 3]) -> Array {
        forward(&self.geometry, x, weight, Some(bias.values()), self.slope)
    }

    fn save(&self, [x, weight, _]: [Array; 3], output: &Array) -> Self::Saved {
        ([x, weight], self.slope.map(|_| output.clone()))
    }

    fn backward(
        &self,
        ([x, weight], output): Self::Saved,
        mut grad: Array,
        wanted: [bool; 3],
    ) -> [Option<Array>; 3] {
        if let (Some(output), Some(slope)) = (output, self.slope) {
            leak(grad.values_mut(), Some(output.values()), slope);
        }
        let g = &self.geometry;
        [
            wanted[0].then(|| input_gradient(g, &weight, &grad)),
            wanted[1].then(|| weight_gradient(g, &x, &grad)),
            wanted[2].then(|| {
                let sums = weights::channel_sums(g, grad.values());
                Array::from_vec(sums, [g.out_channels])
            }),
        ]
    }
}

fn forward(
    g: &Geometry,
    x: &Array,
    weight: &Array,
    bias: Option<&[f32]>,
    slope: Option<f32>,
) -> Array {
    let out = passes::forward(g, x.values(), weight.values(), bias, slope);
    let [height, width] = g.output;
    Array::from_vec(out, [g.batch, g.out_channels, height, width])
}

fn input_gradient(g: &Geometry, weight: &Array, grad: &Array) -> Array {
    let out = passes::input_gradient(g, weight.values(), grad.values());
    let [height, width] = g.input;
    Array::from_vec(out, [g.batch, g.in_channels, height, width])
}

fn weight_gradient(g: &Geometry, x: &Array, grad: &Array) -> Array {
    let out = weights::weight_gradient(g, x.values(), grad.values());
    let per_filter = if g.depthwise { 1 } else { g.in_channels };
    Array::from_vec(out, [g.out_channels, per_filter, g.kernel[0], g.kernel[1]])
}
