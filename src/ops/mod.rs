//! Operations that the model is built of. On the `flex` CPU backend they are fused kernels with
//! hand-written gradients; on every other device burn's own operations.

mod bytes;
mod conv;
mod fused;
mod norm;
mod pointwise;
mod rows;
mod scratch;
mod simd;

use std::sync::Arc;

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Int, Tensor, TensorData, activation, module};
use retinamark_core::graph::ByteScale;

use bytes::{Rounded, RoundedWeights};
use conv::{Conv, ConvBias, Geometry};
use fused::is_supported;
use pointwise::{GlobalMean, LeakyRelu, ScaleChannels, UpsampleAdd};
use rows::GatherPixels;

/// Name of the instruction set that the fused kernels use on this processor: `avx512`, `avx2`, `neon`
/// or `scalar`.
pub fn instruction_set() -> &'static str {
    simd::name()
}

/// Whether `device` is the CPU on the `flex` backend, with or without autodiff.
pub fn is_flex(device: &Device) -> bool {
    is_supported(&Tensor::<1>::zeros([1], device))
}

/// Convolution. `x` `[B,C,H,W]` -> `[B,O,H',W']`.
pub fn conv2d(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    convolve(conv, x, None)
}

/// Convolution, then `max(x, slope x)`. `x` `[B,C,H,W]` -> `[B,O,H',W']`.
pub fn conv2d_act(conv: &Conv2d, x: Tensor<4>, slope: f32) -> Tensor<4> {
    convolve(conv, x, Some(slope))
}

/// A 1x1 convolution of P single pixels, as one product instead of P small ones: `x` `[P,C,1,1]` ->
/// `[P,O,1,1]`.
pub fn conv2d_of_pixels(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let [outputs, channels, ..] = conv.weight.dims();
    let pixels = x.dims()[0];
    let weight = conv.weight.val().reshape([outputs, channels]); // [O,C]
    let mut out = x.reshape([pixels, channels]).matmul(weight.transpose()); // [P,O]
    if let Some(bias) = &conv.bias {
        out = out + bias.val().reshape([1, outputs]);
    }
    out.reshape([pixels, outputs, 1, 1])
}

fn convolve(conv: &Conv2d, x: Tensor<4>, slope: Option<f32>) -> Tensor<4> {
    let geometry = Geometry::of(conv, x.dims()).filter(|_| is_supported(&x));
    let fits = slope.is_none_or(|slope| (0.0..=1.0).contains(&slope));
    let x = match (geometry, &conv.bias) {
        (Some(geometry), Some(bias)) if fits => {
            let kernel = ConvBias { geometry, slope };
            return fused::run3(kernel, x, conv.weight.val(), bias.val());
        }
        (Some(geometry), None) => fused::run2(Conv(geometry), x, conv.weight.val()),
        _ => conv.forward(x),
    };
    match slope {
        None => x,
        Some(slope) => leaky_relu(x, slope),
    }
}

/// What the bytes of a convolution's input stand for, as the executor writes it. Gradients pass
/// where numbers are not cut off. Shape unchanged.
pub fn in_bytes(x: Tensor<4>, scale: ByteScale) -> Tensor<4> {
    match is_supported(&x) {
        true => fused::run1(Rounded(scale), x),
        false => bytes::plain(x, scale),
    }
}

/// What the bytes of a convolution's weights `[O,I,k,k]` stand for: multiples (-127 to 127) of a
/// scale for each output. All gradients pass.
pub fn weights_in_bytes(weights: Tensor<4>) -> Tensor<4> {
    let [outputs, ..] = weights.dims();
    match is_supported(&weights) {
        true => fused::run1(RoundedWeights { outputs }, weights),
        false => bytes::plain_weights(weights),
    }
}

/// Batch norm, then `max(x, slope x)`; `None` leaves the activation out. Shape unchanged.
pub fn batch_norm_act(norm: &BatchNorm, x: Tensor<4>, slope: Option<f32>) -> Tensor<4> {
    if is_supported(&x) {
        return norm::batch_norm_act(norm, x, slope);
    }
    let x = norm::plain(norm, x);
    match slope {
        None => x,
        Some(slope) => leaky_relu(x, slope),
    }
}

/// `max(x, slope x)`; a slope of 0 is ReLU.
pub fn leaky_relu(x: Tensor<4>, slope: f32) -> Tensor<4> {
    if (0.0..=1.0).contains(&slope) && is_supported(&x) {
        return fused::run1(LeakyRelu { slope }, x);
    }
    if slope == 0.0 {
        activation::relu(x)
    } else {
        activation::leaky_relu(x, f64::from(slope))
    }
}

/// Nearest upsampling of `small` to the size of `large`, plus `large`.
pub fn upsample_add(small: Tensor<4>, large: Tensor<4>) -> Tensor<4> {
    let [_, _, h, w] = large.dims();
    if is_supported(&small) && is_supported(&large) {
        let kernel = UpsampleAdd {
            small: small.dims(),
            large: large.dims(),
        };
        return fused::run2(kernel, small, large);
    }
    let options = InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([h, w]);
    module::interpolate(small, options) + large
}

/// Each channel of each image times its own factor. `x` `[B,C,H,W]`, `factor` `[B,C]`.
pub fn scale_channels(x: Tensor<4>, factor: Tensor<2>) -> Tensor<4> {
    let [b, c] = factor.dims();
    if is_supported(&x) && is_supported(&factor) {
        let dims = x.dims();
        return fused::run2(ScaleChannels { dims }, x, factor);
    }
    x * factor.reshape([b, c, 1, 1])
}

/// Mean over height and width: `[B,C,H,W]` -> `[B,C]`.
pub fn global_mean(x: Tensor<4>) -> Tensor<2> {
    let [b, c, h, w] = x.dims();
    if is_supported(&x) {
        return fused::run1(GlobalMean { dims: [b, c, h, w] }, x);
    }
    x.reshape([b, c, h * w]).mean_dim(2).reshape([b, c])
}

/// The channel vectors at some places: `x` `[B,C,H,W]`, `places` = image * H * W + y * W + x
/// -> `[P,C]`.
pub fn gather_pixels(x: Tensor<4>, places: &[usize]) -> Tensor<2> {
    let [b, c, h, w] = x.dims();
    if is_supported(&x) {
        let places = Arc::from(places);
        return fused::run1(
            GatherPixels {
                dims: [b, c, h, w],
                places,
            },
            x,
        );
    }
    let device = x.device();
    let rows = x.permute([0, 2, 3, 1]).reshape([b * h * w, c]);
    let index: Vec<i64> = places.iter().map(|&p| p as i64).collect();
    let index = Tensor::<1, Int>::from_data(TensorData::new(index, [places.len()]), &device);
    rows.select(0, index)
}

/// The squares of `2 radius + 1` pixels around some places, zero beyond the edges: `x`
/// `[B,C,H,W]`, `places` = image * H * W + y * W + x -> `[P,C,2r+1,2r+1]`.
pub fn gather_windows(x: Tensor<4>, places: &[usize], radius: usize) -> Tensor<4> {
    let [_, c, h, w] = x.dims();
    if radius == 0 {
        return gather_pixels(x, places).reshape([places.len(), c, 1, 1]);
    }
    let (side, [height, width]) = (2 * radius + 1, [h + 2 * radius, w + 2 * radius]);
    let corner = |place: usize| {
        let (image, inside) = (place / (h * w), place % (h * w));
        (image * height + inside / w) * width + inside % w
    };
    let pixels = places.iter().flat_map(|&place| {
        let first = corner(place);
        (0..side * side).map(move |i| first + i / side * width + i % side)
    });
    let pixels: Vec<usize> = pixels.collect();
    let padded = x.pad([(radius, radius), (radius, radius)], 0.0);
    gather_pixels(padded, &pixels)
        .reshape([places.len(), side, side, c])
        .permute([0, 3, 1, 2])
}

/// Head maps of all levels, each `[B, A*k, H, W]`, to rows in anchor order (level, y, x, anchor):
/// `[B, N, k]`.
pub fn head_rows(maps: Vec<Tensor<4>>, k: usize) -> Tensor<3> {
    let rows = maps
        .into_iter()
        .map(|m| {
            let [b, c, h, w] = m.dims();
            m.permute([0, 2, 3, 1]).reshape([b, h * w * c / k, k])
        })
        .collect();
    Tensor::cat(rows, 1)
}
