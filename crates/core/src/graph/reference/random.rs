//! Numbers to test with: the same for the same seed everywhere.

use crate::error::Result;
use crate::graph::{Graph, Tensor, TensorSpec, Weights};

/// Splitmix64 (Steele et al., 2014).
struct Random(u64);

impl Random {
    /// Within 0..1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    }

    fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.next()
    }
}

/// Weights for `graph` that keep numbers about as large from layer to layer, with norms and biases
/// that matter.
///
/// # Errors
/// Never for graphs that were traced or read.
pub fn random_weights(graph: &Graph, seed: u64) -> Result<Weights> {
    let mut random = Random(seed);
    let mut weights = Weights::default();
    for spec in graph.tensors() {
        let [low, high] = range(&spec);
        let numbers = spec.shape.iter().product();
        let values: Vec<f32> = (0..numbers).map(|_| random.within(low, high)).collect();
        weights
            .0
            .insert(spec.name, Tensor::new(spec.shape, values)?);
    }
    Ok(weights)
}

fn range(spec: &TensorSpec) -> [f32; 2] {
    let inputs = match spec.shape[..] {
        [_, inputs, k, _] => inputs * k * k,
        // Linear layers.
        [inputs, _] => inputs,
        _ => 1,
    };
    let field = spec.name.rsplit('.').next().unwrap_or_default();
    match field {
        "gamma" | "running_var" => [0.5, 1.5],
        "slope" => [-0.5, 1.5],
        "weight" => {
            let bound = (4.0 / inputs.max(1) as f32).sqrt();
            [-bound, bound]
        }
        _ => [-0.5, 0.5],
    }
}

/// An image of `numbers` numbers within -2..2, about what normalised photos have.
pub fn random_image(numbers: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(!seed);
    (0..numbers).map(|_| random.within(-2.0, 2.0)).collect()
}
