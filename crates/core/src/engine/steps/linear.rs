//! Fully connected layers.

use std::sync::Arc;

use super::{Run, Step};
use crate::engine::kernels::{Buffer, linear};
use crate::engine::layout::Map;
use crate::net::Act;

/// Weights of a layer.
#[derive(Debug)]
pub struct LinearWeights {
    /// `[block][input][lane]`, inputs in the order of [`LinearStep::inputs`].
    pub weights: Buffer,
    /// `[block][lane]`.
    pub bias: Buffer,
}

/// A layer over everything of some maps.
#[derive(Debug)]
pub struct LinearStep {
    /// What it reads.
    pub inputs: Vec<Map>,
    /// See there.
    pub weights: Arc<LinearWeights>,
    /// What follows.
    pub act: Act,
    /// A map of one pixel.
    pub output: Map,
}

impl LinearStep {
    /// Numbers of a map as the layer reads them: `[row][block][column][lane]` without its border.
    pub const fn numbers(map: &Map) -> usize {
        map.shape[1] * map.blocks() * map.shape[2] * map.lanes
    }

    fn all(&self) -> usize {
        self.inputs.iter().map(Self::numbers).sum()
    }

    fn gather(&self, run: &Run<'_>, image: usize, mut out: &mut [f32]) {
        for map in &self.inputs {
            let values = &run.buffer(map.buffer)[image * map.image()..];
            let width = map.shape[2] * map.lanes;
            for y in 0..map.shape[1] {
                for block in 0..map.blocks() {
                    let from = map.at_row(y) + block * map.block();
                    let (own, rest) = out.split_at_mut(width);
                    own.copy_from_slice(&values[from..from + width]);
                    out = rest;
                }
            }
        }
    }
}

impl Step for LinearStep {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.output.buffer);
        let all = self.all();
        run.scratch.with(|scratch| {
            let gathered = &mut scratch[..run.count * all];
            for (image, out) in gathered.chunks_exact_mut(all.max(1)).enumerate() {
                self.gather(run, image, out);
            }
            // A vector's buffer is its own, without a border: images stand side by side.
            let out = &mut taken.as_mut_slice()[..run.count * self.output.image()];
            let LinearWeights { weights, bias } = &*self.weights;
            let shape = [run.count, all];
            linear(run.isa, shape, gathered, weights, bias, self.act, out);
        });
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        self.inputs.iter().map(|map| map.buffer).collect()
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }

    fn scratch(&self, images: usize) -> usize {
        images * self.all()
    }
}
