//! Convolutions within each channel, alone or with the 1x1 convolution behind them.

use std::sync::Arc;

use super::conv::{Output, Taken, Upsample};
use super::{Run, Step, Strip, Strips};
use crate::engine::kernels::{
    Add, Buffer, ConvRow, DepthwiseRow, Isa, Weights, conv_row, depthwise_row,
};
use crate::engine::layout::Map;
use crate::net::Act;

/// A convolution within each channel.
#[derive(Debug)]
pub struct Depthwise {
    /// What it reads.
    pub input: Map,
    /// Kernel, stride, zeros on each side.
    pub geometry: [usize; 3],
    /// `[block][tap][lane]`.
    pub weights: Arc<Buffer>,
    /// `[block][lane]`.
    pub bias: Arc<Buffer>,
    /// What follows.
    pub act: Act,
}

impl Depthwise {
    /// A row of one block of `image`.
    fn row(&self, isa: Isa, image: &[f32], y: usize, block: usize, out: &mut [f32]) {
        let [kernel, stride, pad] = self.geometry;
        let lanes = self.input.lanes;
        let from = (y * stride + self.input.pad - pad) * self.input.row()
            + (self.input.first_block + block) * self.input.block()
            + (self.input.pad - pad) * lanes;
        let taps = kernel * kernel * lanes;
        depthwise_row(
            isa,
            DepthwiseRow {
                input: &image[from..],
                input_row: self.input.row(),
                kernel,
                stride,
                weights: &self.weights.as_slice()[block * taps..],
                bias: &self.bias.as_slice()[block * lanes..],
                act: self.act,
                out,
            },
        );
    }
}

/// [`Depthwise`] by itself.
#[derive(Debug)]
pub struct DepthwiseConv {
    /// The convolution.
    pub conv: Depthwise,
    /// Where it goes.
    pub output: Map,
    /// Of the output.
    pub strips: Strips,
}

impl Step for DepthwiseConv {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.output.buffer);
        let input = run.buffer(self.conv.input.buffer);
        let (isa, map) = (run.isa, &self.output);
        let work = |strip: Strip, [part]: [&mut [f32]; 1], _: &mut [f32]| {
            strip.clear_border(map, part);
            let image = &input[strip.image * self.conv.input.image()..];
            for y in strip.rows.clone() {
                for block in 0..map.blocks() {
                    let at = strip.at_row(map, y) + map.in_row() + block * map.block();
                    let out = &mut part[at..at + map.shape[2] * map.lanes];
                    self.conv.row(isa, image, y, block, out);
                }
            }
        };
        let buffers = [(taken.as_mut_slice(), map)];
        self.strips.run(run.count, run.scratch, buffers, &work);
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.conv.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }
}

/// [`Depthwise`], then a 1x1 convolution of its rows while they are in the cache.
#[derive(Debug)]
pub struct DepthwisePointwise {
    /// The first convolution.
    pub conv: Depthwise,
    /// Width of its outputs.
    pub width: usize,
    /// Of the second one.
    pub weights: Arc<Weights>,
    /// Of each of its blocks.
    pub acts: Vec<Act>,
    /// Added before the activation.
    pub add: Option<Map>,
    /// Added behind the activation.
    pub upsample: Option<Upsample>,
    /// Where it goes: one map.
    pub output: Output,
    /// Of the output.
    pub strips: Strips,
    /// Where each block of a row between the two begins.
    pub taps: Vec<usize>,
}

impl Step for DepthwisePointwise {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = Taken::of(run, &[self.output]);
        let input = run.buffer(self.conv.input.buffer);
        let of = |map: Option<Map>| map.map_or(&[][..], |map| run.buffer(map.buffer));
        let add = of(self.add);
        let small = of(self.upsample.map(|upsample| upsample.small));
        let (isa, map) = (run.isa, &self.output.map);
        let lanes = self.conv.input.lanes;
        let work = |strip: Strip, [part, _]: [&mut [f32]; 2], scratch: &mut [f32]| {
            strip.clear_border(map, part);
            let image = &input[strip.image * self.conv.input.image()..];
            for y in strip.rows.clone() {
                let between = &mut scratch[..self.taps.len() * self.width * lanes];
                let rows = between.chunks_exact_mut(self.width * lanes);
                for (block, row) in rows.enumerate() {
                    self.conv.row(isa, image, y, block, row);
                }
                let at = strip.at_row(map, y);
                let row = &mut part[at..at + map.row()];
                conv_row(
                    isa,
                    ConvRow {
                        input: between,
                        taps: &self.taps,
                        step: lanes,
                        weights: &self.weights,
                        blocks: 0..self.output.end,
                        acts: &self.acts,
                        add: self.add.map(|map| Add {
                            values: &add[strip.image * map.image() + map.at_row(y)..],
                            block: map.block(),
                        }),
                        out: &mut row[map.in_row()..],
                        out_block: map.block(),
                        width: self.width,
                    },
                );
                if let Some(upsample) = &self.upsample {
                    let small = &small[strip.image * upsample.small.image()..];
                    upsample.add(isa, small, map, y, row);
                }
            }
        };
        self.strips
            .run(run.count, run.scratch, taken.buffers(), &work);
        taken.put(run);
    }

    fn reads(&self) -> Vec<usize> {
        let small = self.upsample.map(|upsample| upsample.small);
        let maps = [Some(self.conv.input), self.add, small];
        maps.into_iter().flatten().map(|map| map.buffer).collect()
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.map.buffer]
    }

    fn scratch(&self, _images: usize) -> usize {
        self.taps.len() * self.width * self.conv.input.lanes
    }
}
