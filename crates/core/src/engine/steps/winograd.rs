//! 3x3 convolutions by Winograd's minimal filtering.

use std::sync::Arc;

use super::conv::{Output, Taken, Upsample};
use super::{Run, Step, Strip, Strips};
use crate::engine::kernels::{Buffer, Numbers, Target, WINOGRAD_OUT, Weights, Winograd};
use crate::engine::layout::Map;
use crate::net::Act;

/// Tiles that share the weights in one go, at least: a few tiles of outputs in registers.
const TILES: usize = 28;

/// Weights of a 3x3 convolution, transformed.
#[derive(Debug)]
pub struct WinogradWeights {
    /// Of the 36 products.
    pub products: Vec<Weights<Numbers>>,
    /// `[block][lane]`.
    pub bias: Buffer,
}

/// A 3x3 convolution of stride 1 that keeps the size, perhaps of several that read the same map,
/// with one or two maps as outputs.
#[derive(Debug)]
pub struct WinogradConv {
    /// What it reads.
    pub input: Map,
    /// Of all its blocks.
    pub weights: Arc<WinogradWeights>,
    /// Of each block.
    pub acts: Vec<Act>,
    /// Added behind the activation, to the first output.
    pub upsample: Option<Upsample>,
    /// In the order of the blocks.
    pub outputs: Vec<Output>,
    /// Of the outputs.
    pub strips: Strips,
}

impl WinogradConv {
    /// Strips of whole rows of tiles, with enough tiles each.
    pub fn strips(output: &Map) -> Strips {
        let across = output.shape[2].div_ceil(WINOGRAD_OUT);
        let rows = TILES.div_ceil(across.max(1)) * WINOGRAD_OUT;
        // Worth a thread whatever it computes.
        Strips::new(output.shape[1], rows, usize::MAX)
    }

    fn tiles(&self) -> usize {
        let across = self.input.shape[2].div_ceil(WINOGRAD_OUT);
        self.strips.rows().div_ceil(WINOGRAD_OUT) * across
    }
}

impl Step for WinogradConv {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = Taken::of(run, &self.outputs);
        let input = run.buffer(self.input.buffer);
        let small = self
            .upsample
            .map(|upsample| run.buffer(upsample.small.buffer));
        let isa = run.isa;
        let work = |strip: Strip, mut parts: [&mut [f32]; 2], scratch: &mut [f32]| {
            for (part, output) in parts.iter_mut().zip(&self.outputs) {
                strip.clear_border(&output.map, part);
            }
            let image = &input[strip.image * self.input.image()..][..self.input.image()];
            let winograd = Winograd {
                input: &image[self.input.first_block * self.input.block()..],
                size: [self.input.shape[1], self.input.shape[2]],
                pad: self.input.pad,
                in_blocks: self.input.blocks(),
                row: self.input.row(),
                weights: &self.weights.products,
                bias: &self.weights.bias,
                acts: &self.acts,
                first: strip.rows.start,
                rows: strip.rows.len(),
            };
            let mut targets = Vec::new();
            for (part, output) in parts.iter_mut().zip(&self.outputs) {
                targets.push(Target {
                    row: output.map.row(),
                    block: output.map.block(),
                    offset: strip.at_row(&output.map, strip.rows.start) + output.map.in_row(),
                    end: output.end,
                    values: part,
                });
            }
            winograd.run(isa, scratch, &mut targets);
            if let (Some(upsample), Some(small), Some(output)) =
                (&self.upsample, small, self.outputs.first())
            {
                let small = &small[strip.image * upsample.small.image()..];
                for y in strip.rows.clone() {
                    let at = strip.at_row(&output.map, y);
                    let row = &mut parts[0][at..at + output.map.row()];
                    upsample.add(isa, small, &output.map, y, row);
                }
            }
        };
        self.strips
            .run(run.count, run.scratch, taken.buffers(), &work);
        taken.put(run);
    }

    fn reads(&self) -> Vec<usize> {
        let small = self.upsample.map(|upsample| upsample.small.buffer);
        [self.input.buffer].into_iter().chain(small).collect()
    }

    fn writes(&self) -> Vec<usize> {
        self.outputs
            .iter()
            .map(|output| output.map.buffer)
            .collect()
    }

    fn scratch(&self, _images: usize) -> usize {
        Winograd::scratch(self.input.lanes, self.input.blocks(), self.tiles())
    }
}
