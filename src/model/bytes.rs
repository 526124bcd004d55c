//! Training in 8 bits (Jacob et al., 2018, arXiv:1712.05877): convolutions compute what the executor
//! computes in bytes. Batch norms are folded as they are for it, with the running statistics of the
//! moment when this begins: what learns then is what is packed, and no batch moves it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use burn::module::{Param, ParamId};
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use retinamark_core::graph::ByteScale;
use serde::{Deserialize, Serialize};

use super::layers::{Layer, Normed};
use crate::{device, ops};

/// Least share of a new batch in a range: those before it fade over about a hundred.
const LEAST_SHARE: f32 = 0.01;

/// How far the input of a convolution reaches: the mean of the extremes of batches, of the first
/// hundred of all alike, then a moving one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Lowest number.
    pub low: f32,
    /// Highest number.
    pub high: f32,
    /// Batches that it comes from.
    pub batches: u64,
}

/// Of all convolutions of a network that are in bytes, by their names.
pub type InputRanges = BTreeMap<String, Range>;

impl Range {
    /// Mix in the extremes of a batch. Numbers that are not finite are passed over: the loss tells.
    pub fn see(&mut self, [low, high]: [f32; 2]) {
        if !(low.is_finite() && high.is_finite()) {
            return;
        }
        self.batches += 1;
        let share = (1.0 / self.batches as f32).max(LEAST_SHARE);
        self.low += share * (low - self.low);
        self.high += share * (high - self.high);
    }

    /// How such an input is written; `None` before any batch.
    pub fn scale(&self) -> Option<ByteScale> {
        (self.batches > 0).then(|| ByteScale::reaching(self.low, self.high))
    }
}

/// The convolutions of a network in bytes.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    ranges: Arc<Mutex<InputRanges>>,
}

impl Bytes {
    pub(super) fn new(ranges: InputRanges) -> Self {
        Self {
            ranges: Arc::new(Mutex::new(ranges)),
        }
    }

    /// The ranges as they are now.
    pub(super) fn ranges(&self) -> InputRanges {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, InputRanges> {
        self.ranges
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// What `layer`, called `name`, is in 8 bits, and what it then reads instead of `x`. Ranges
    /// learn where gradients are computed.
    pub(super) fn applied(&self, name: &str, layer: &Layer, x: Tensor<4>) -> (Layer, Tensor<4>) {
        let Some(conv) = folded(layer) else {
            return (layer.clone(), x);
        };
        match self.scale(name, &x) {
            None => (Layer::Conv(conv), x),
            Some(scale) => {
                let weight = computed(ops::weights_in_bytes(conv.weight.val()));
                let x = ops::in_bytes(x, scale);
                (Layer::Conv(Conv2d { weight, ..conv }), x)
            }
        }
    }

    fn scale(&self, name: &str, x: &Tensor<4>) -> Option<ByteScale> {
        let mut ranges = self.lock();
        let range = ranges.get_mut(name)?;
        if x.device().is_autodiff() {
            let x = x.clone().detach();
            let extremes = Tensor::cat(vec![x.clone().min(), x.max()], 0);
            if let [low, high] = device::read(extremes)[..] {
                range.see([low, high]);
            }
        }
        range.scale()
    }
}

/// The convolution with a bias that a layer is while its batch norm keeps its running statistics;
/// gradients reach all that learns. `None` for what is no convolution.
fn folded(layer: &Layer) -> Option<Conv2d> {
    let Normed { conv, norm } = match layer {
        Layer::Normed(normed) => normed,
        Layer::Conv(conv) => return Some(conv.clone()),
        Layer::Linear(_) | Layer::Table(_) => return None,
    };
    let deviation = (norm.running_var.value_sync() + norm.epsilon).sqrt();
    let scale = norm.gamma.val() / deviation; // [O]
    let bias = norm.beta.val() - norm.running_mean.value_sync() * scale.clone();
    let [outputs] = scale.dims();
    let weight = conv.weight.val() * scale.reshape([outputs, 1, 1, 1]);
    Some(Conv2d {
        weight: computed(weight),
        bias: Some(computed(bias)),
        ..conv.clone()
    })
}

/// What a layer takes for its weights, which have come out of others.
fn computed<const D: usize>(x: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_means_and_then_move() {
        let mut range = Range::default();
        assert_eq!(range.scale(), None);
        range.see([-1.0, 2.0]);
        range.see([f32::NAN, f32::INFINITY]);
        range.see([-2.0, 5.0]);
        assert_eq!((range.low, range.high, range.batches), (-1.5, 3.5, 2));
        let scale = range.scale().unwrap();
        assert_eq!(scale, ByteScale::reaching(-1.5, 3.5));
        range.batches = 1000;
        range.see([0.0, 103.5]);
        assert!((range.low + 1.485).abs() < 1e-5 && (range.high - 4.5).abs() < 1e-5);
    }
}
