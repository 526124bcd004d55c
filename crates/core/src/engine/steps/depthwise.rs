//! Convolutions within each channel, alone or with the 1x1 convolution behind them.

use std::sync::Arc;

use super::conv::{Dense, Output, Taken, Upsample};
use super::image::Stem;
use super::{Run, Step, Strip, Strips};
use crate::engine::kernels::{
    Add, Buffer, ConvRow, DepthwiseRow, Element, Isa, Weights, as_bytes, conv_row, depthwise_row,
    quantise_row,
};
use crate::engine::layout::Map;
use crate::engine::{Image, Images};
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
    /// What gives the rows of the image's map, where that is not worth writing down: the input of
    /// `conv` then is the map's shape, in no buffer.
    pub stem: Option<Stem>,
    /// The first convolution.
    pub conv: Depthwise,
    /// Width of its outputs.
    pub width: usize,
    /// Of the second one.
    pub weights: Dense,
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

impl DepthwisePointwise {
    /// Rows of the input that so many rows of outputs read.
    fn input_rows(&self, rows: usize) -> usize {
        let [kernel, stride, _] = self.conv.geometry;
        (rows.max(1) - 1) * stride + kernel
    }

    /// Numbers of a row between the two convolutions.
    fn between(&self) -> usize {
        self.taps.len() * self.width * self.conv.input.lanes
    }

    /// Numbers that have room for the bytes of such a row, if they are needed.
    fn bytes(&self) -> usize {
        let needed = self.weights.is_in_bytes();
        usize::from(needed) * self.between().div_ceil(size_of::<f32>())
    }

    /// What the stem gives for a strip, with zeros around, from the first row on that the strip
    /// reads.
    fn stem_rows(
        &self,
        stem: &Stem,
        isa: Isa,
        image: &Image<'_>,
        strip: &Strip,
        (out, lines): (&mut [f32], &mut [f32]),
    ) {
        let [_, stride, pad] = self.conv.geometry;
        let map = &self.conv.input;
        let first = strip.rows.start * stride;
        let past = first + self.input_rows(strip.rows.len());
        // Counted with the border.
        let inside = first.max(pad)..past.min(map.shape[1] + pad);
        let side = pad * map.lanes;
        for (y, row) in out.chunks_exact_mut(map.row()).enumerate() {
            if inside.contains(&(first + y)) {
                for block in row.chunks_exact_mut(map.block()) {
                    block[..side].fill(0.0);
                    block[map.block() - side..].fill(0.0);
                }
            } else {
                row.fill(0.0);
            }
        }
        let rows = inside.start - pad..inside.end - pad;
        let at = |y: usize| (y + pad - first) * map.row() + map.in_row();
        stem.rows(isa, image, rows, lines, (out, map.block(), at));
    }

    /// The 1x1 convolution of a row, for which `bytes` are memory.
    fn pointwise(&self, isa: Isa, between: &[f32], bytes: &mut [f32], to: Pointwise<'_>) {
        match &self.weights {
            Dense::Numbers(weights) => self.multiply(isa, between, weights, to),
            Dense::Bytes { weights, input } => {
                let bytes = &mut as_bytes(bytes)[..between.len()];
                quantise_row(isa, *input, between, bytes);
                self.multiply(isa, bytes, weights, to);
            }
        }
    }

    fn multiply<E: Element>(
        &self,
        isa: Isa,
        input: &[E::Input],
        weights: &Weights<E>,
        Pointwise { add, out }: Pointwise<'_>,
    ) {
        conv_row(
            isa,
            ConvRow {
                input,
                taps: &self.taps,
                step: self.conv.input.lanes,
                weights,
                blocks: 0..self.output.end,
                acts: &self.acts,
                add,
                out,
                out_block: self.output.map.block(),
                width: self.width,
            },
        );
    }
}

/// What belongs to a row of outputs.
struct Pointwise<'a> {
    add: Option<Add<'a>>,
    out: &'a mut [f32],
}

impl Step for DepthwisePointwise {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = Taken::of(run, &[self.output]);
        let of = |map: Option<Map>| map.map_or(&[][..], |map| run.buffer(map.buffer));
        let input = of(self.stem.is_none().then_some(self.conv.input));
        let add = of(self.add);
        let small = of(self.upsample.map(|upsample| upsample.small));
        let (isa, map, images) = (run.isa, &self.output.map, run.images);
        let row_len = self.width * self.conv.input.lanes;
        let work = |strip: Strip, [part, _]: [&mut [f32]; 2], scratch: &mut [f32]| {
            strip.clear_border(map, part);
            let (between, rest) = scratch.split_at_mut(self.between());
            let (bytes, rest) = rest.split_at_mut(self.bytes());
            let (image, first) = match (&self.stem, images) {
                (Some(stem), Images::Many(images)) => {
                    let rows = self.input_rows(strip.rows.len());
                    let (own, lines) = rest.split_at_mut(rows * self.conv.input.row());
                    let image = &images[strip.image];
                    self.stem_rows(stem, isa, image, &strip, (&mut *own, lines));
                    (&*own, strip.rows.start)
                }
                _ => (&input[strip.image * self.conv.input.image()..], 0),
            };
            for y in strip.rows.clone() {
                for (block, row) in between.chunks_exact_mut(row_len).enumerate() {
                    self.conv.row(isa, image, y - first, block, row);
                }
                let at = strip.at_row(map, y);
                let row = &mut part[at..at + map.row()];
                let add = self.add.map(|map| Add {
                    values: &add[strip.image * map.image() + map.at_row(y)..],
                    block: map.block(),
                });
                let out = &mut row[map.in_row()..];
                self.pointwise(isa, between, bytes, Pointwise { add, out });
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
        let input = self.stem.is_none().then_some(self.conv.input);
        let small = self.upsample.map(|upsample| upsample.small);
        let maps = [input, self.add, small];
        maps.into_iter().flatten().map(|map| map.buffer).collect()
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.map.buffer]
    }

    fn scratch(&self, _images: usize) -> usize {
        let stem = self.stem.as_ref().map_or(0, |stem| {
            let rows = self.input_rows(self.strips.rows());
            rows * self.conv.input.row() + stem.scratch(rows)
        });
        self.between() + self.bytes() + stem
    }
}
