//! Maps to rows: gathered pixels.

use std::sync::Arc;

use super::fused::{Array, Kernel};

/// The channel vectors at some places of `[B,C,H,W]`: `[P,C]`.
#[derive(Clone, Debug)]
pub(super) struct GatherPixels {
    pub(super) dims: [usize; 4],
    /// image * H * W + y * W + x.
    pub(super) places: Arc<[usize]>,
}

impl GatherPixels {
    /// For each place: where its first channel lies.
    fn starts(&self) -> impl Iterator<Item = usize> + use<'_> {
        let [_, c, h, w] = self.dims;
        self.places
            .iter()
            .map(move |place| place / (h * w) * c * h * w + place % (h * w))
    }
}

impl Kernel<1> for GatherPixels {
    type Saved = ();

    fn forward(&self, [x]: &mut [Array; 1]) -> Array {
        let [_, c, h, w] = self.dims;
        let x = x.values();
        let rows = self
            .starts()
            .flat_map(|start| (0..c).map(move |c| x[start + c * h * w]));
        Array::from_vec(rows.collect(), [self.places.len(), c])
    }

    fn save(&self, _inputs: [Array; 1], _output: &Array) {}

    fn backward(&self, (): (), grad: Array, _wanted: [bool; 1]) -> [Option<Array>; 1] {
        let [_, c, h, w] = self.dims;
        let mut out = vec![0.0; self.dims.iter().product()];
        for (start, grad) in self.starts().zip(grad.values().chunks(c)) {
            for (c, grad) in grad.iter().enumerate() {
                out[start + c * h * w] += grad;
            }
        }
        [Some(Array::from_vec(out, self.dims))]
    }
}
