//! Numbers as 8 bits hold them. Gradients pass straight through the rounding (Bengio et al., 2013,
//! arXiv:1308.3432) and end where numbers are cut off.

use burn::tensor::Tensor;
use rayon::prelude::*;
use retinamark_core::graph::{ByteScale, rounded_weights};

use super::fused::{Array, Kernel};

/// Values that one task handles.
const CHUNK: usize = 1 << 14;

/// What the bytes of numbers stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounded(pub(super) ByteScale);

impl Kernel<1> for Rounded {
    /// Which numbers were not cut off.
    type Saved = Vec<bool>;

    fn forward(&self, [x]: &mut [Array; 1]) -> Array {
        let mut out = x.clone();
        out.values_mut().par_chunks_mut(CHUNK).for_each(|values| {
            values.iter_mut().for_each(|v| *v = self.0.rounded(*v));
        });
        out
    }

    fn save(&self, [x]: [Array; 1], _output: &Array) -> Vec<bool> {
        let values = x.values().par_iter().with_min_len(CHUNK);
        values.map(|&v| self.0.holds(v)).collect()
    }

    fn backward(&self, held: Vec<bool>, mut grad: Array, _wanted: [bool; 1]) -> [Option<Array>; 1] {
        let pairs = grad.values_mut().par_iter_mut().zip(&held);
        pairs.with_min_len(CHUNK).for_each(|(grad, &held)| {
            if !held {
                *grad = 0.0;
            }
        });
        [Some(grad)]
    }
}

/// Weights of so many outputs as multiples of their outputs' scales.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundedWeights {
    pub(super) outputs: usize,
}

impl Kernel<1> for RoundedWeights {
    type Saved = ();

    fn forward(&self, [weights]: &mut [Array; 1]) -> Array {
        let mut out = weights.clone();
        let (rounded, _) = rounded_weights(weights.values(), self.outputs);
        out.values_mut().copy_from_slice(&rounded);
        out
    }

    fn save(&self, _inputs: [Array; 1], _output: &Array) {}

    /// The scales count as constants, and nothing is cut off.
    fn backward(&self, (): (), grad: Array, _wanted: [bool; 1]) -> [Option<Array>; 1] {
        [Some(grad)]
    }
}

/// [`Rounded`] by burn's own operations.
pub(super) fn plain(x: Tensor<4>, scale: ByteScale) -> Tensor<4> {
    let zero = f32::from(scale.zero);
    let [low, high] = [-0.5 - zero, 255.5 - zero].map(|end| end * scale.scale);
    let held = x.clone().clamp(low, high);
    let whole = (x * scale.factor()).round() + zero;
    let rounded = (whole.clamp(0.0, 255.0) - zero) * scale.scale;
    held.clone() + (rounded - held).detach()
}

/// [`RoundedWeights`] by burn's own operations.
pub(super) fn plain_weights(weights: Tensor<4>) -> Tensor<4> {
    let [outputs, inputs, height, width] = weights.dims();
    let size = weights.clone().detach().abs();
    let largest = size
        .clone()
        .reshape([outputs, inputs * height * width])
        .max_dim(1); // [O,1]
    let scales = (largest / MOST).clamp_min(f32::MIN_POSITIVE);
    let scales = scales.reshape([outputs, 1, 1, 1]);
    let whole = (size / scales.clone() + 0.5).floor();
    let rounded = whole * scales * weights.clone().detach().sign();
    weights.clone() + (rounded - weights).detach()
}

/// Largest weight, as a byte.
const MOST: f32 = 127.0;

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::ops;

    fn values(x: Tensor<4>) -> Vec<f32> {
        x.into_data().try_to_vec::<f32>().unwrap()
    }

    fn close(found: &[f32], expected: &[f32]) -> bool {
        let pairs = found.iter().zip(expected);
        found.len() == expected.len() && pairs.clone().all(|(a, b)| (a - b).abs() < 1e-5)
    }

    /// Bytes of 0.02 each, of which 50 is zero: from -1 to 4.1.
    const SCALE: ByteScale = ByteScale {
        scale: 0.02,
        zero: 50,
    };

    #[test]
    fn inputs_and_their_gradients_by_hand() {
        let device = Device::flex().autodiff();
        let numbers = [0.0, 0.029, -0.031, -1.0, 4.1, -1.02, 9.0, -7.0];
        let expected = [0.0, 0.02, -0.04, -1.0, 4.1, -1.0, 4.1, -1.0];
        let slopes = [1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0, 0.0];
        let row = |numbers: [f32; 8]| Tensor::<1>::from_floats(numbers, &device);
        let ways: [fn(Tensor<4>, ByteScale) -> Tensor<4>; 2] = [ops::in_bytes, plain];
        for way in ways {
            let x = row(numbers).reshape([2, 1, 2, 2]).require_grad();
            let out = way(x.clone(), SCALE);
            assert!(close(&values(out.clone()), &expected), "{out}");
            let weights = row(std::array::from_fn(|i| i as f32 + 1.0));
            let gradients = (out * weights.reshape([2, 1, 2, 2])).sum().backward();
            assert!(close(&values(x.grad(&gradients).unwrap()), &slopes));
        }
    }

    #[test]
    fn weights_and_their_gradients_by_hand() {
        let device = Device::flex().autodiff();
        let numbers = [1.27, -0.514, 0.006, 0.0, 0.0, 0.0, -2.54, 0.031];
        // Scales of 0.01, 0.006 / 127, nothing, and 0.02.
        let expected = [1.27, -0.51, 0.006, 0.0, 0.0, 0.0, -2.54, 0.04];
        let ways: [fn(Tensor<4>) -> Tensor<4>; 2] = [ops::weights_in_bytes, plain_weights];
        for way in ways {
            let weights = Tensor::<1>::from_floats(numbers, &device);
            let weights = weights.reshape([4, 2, 1, 1]).require_grad();
            let out = way(weights.clone());
            assert!(close(&values(out.clone()), &expected), "{out}");
            let gradients = (out.clone() * out).sum().backward();
            let slopes = expected.map(|v| 2.0 * v);
            assert!(close(&values(weights.grad(&gradients).unwrap()), &slopes));
        }
    }
}
