//! Dense convolutions by their definition.

use std::ops::Range;
use std::sync::Arc;

use super::{Run, Step, Strip, Strips};
use crate::engine::kernels::{
    Add, Buffer, Bytes, ConvRow, Element, Isa, Numbers, Weights, as_bytes, conv_row, quantise_row,
    upsample_add_row,
};
use crate::engine::layout::Map;
use crate::graph::ByteScale;
use crate::net::Act;

/// Where some of a convolution's blocks go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// The map.
    pub map: Map,
    /// Past the last of the convolution's blocks that go there.
    pub end: usize,
}

/// The memory of one or two outputs, while it is written.
pub struct Taken([(Buffer, Map); 2]);

impl Taken {
    /// Of these outputs.
    pub fn of(run: &mut Run<'_>, outputs: &[Output]) -> Self {
        let mut take = |at: usize| {
            let output = outputs.get(at);
            let taken = output.map(|output| (run.take(output.map.buffer), output.map));
            taken.unwrap_or((Buffer::default(), Map::NOTHING))
        };
        Self([take(0), take(1)])
    }

    /// For [`Strips::run`].
    pub fn buffers(&mut self) -> [(&mut [f32], &Map); 2] {
        self.0
            .each_mut()
            .map(|(buffer, map)| (buffer.as_mut_slice(), &*map))
    }

    /// Back where it was.
    pub fn put(self, run: &mut Run<'_>) {
        for (buffer, map) in self.0 {
            if map != Map::NOTHING {
                run.put(map.buffer, buffer);
            }
        }
    }
}

/// What is added to each row when it is finished.
#[derive(Clone, Copy, Debug)]
pub struct Upsample {
    /// The smaller map.
    pub small: Map,
}

impl Upsample {
    /// Add to row `y`, which begins with its border in `row`.
    pub fn add(&self, isa: Isa, small: &[f32], large: &Map, y: usize, row: &mut [f32]) {
        let small_y = y * self.small.shape[1] / large.shape[1];
        let width = large.shape[2] * large.lanes;
        for block in 0..large.blocks() {
            let from = self.small.at_row(small_y) + block * self.small.block();
            let from = &small[from..from + self.small.shape[2] * self.small.lanes];
            let at = large.in_row() + block * large.block();
            upsample_add_row(isa, &mut row[at..at + width], from);
        }
    }
}

/// Packed weights of a dense convolution, and what they are multiplied with.
#[derive(Clone, Debug)]
pub enum Dense {
    /// The numbers of the map.
    Numbers(Arc<Weights<Numbers>>),
    /// Its numbers as bytes.
    Bytes {
        /// Also bytes.
        weights: Arc<Weights<Bytes>>,
        /// How numbers become bytes.
        input: ByteScale,
    },
}

impl Dense {
    /// Whether it needs its input as bytes.
    pub const fn is_in_bytes(&self) -> bool {
        matches!(self, Self::Bytes { .. })
    }
}

/// A convolution, perhaps of several that read the same map, with one or two maps as outputs.
#[derive(Debug)]
pub struct DirectConv {
    /// What it reads.
    pub input: Map,
    /// Kernel, stride, zeros on each side.
    pub geometry: [usize; 3],
    /// Of all its blocks.
    pub weights: Dense,
    /// Of each block.
    pub acts: Vec<Act>,
    /// Added before the activation, in the shape of the first output.
    pub add: Option<Map>,
    /// Added behind the activation, to the first output.
    pub upsample: Option<Upsample>,
    /// In the order of the blocks.
    pub outputs: Vec<Output>,
    /// Of the outputs.
    pub strips: Strips,
    /// Where each tap reads, in what it reads: the input, or the strip's bytes.
    pub taps: Vec<usize>,
}

/// What rows of outputs are made of.
struct Source<'a, E: Element> {
    weights: &'a Weights<E>,
    values: &'a [E::Input],
    map: Map,
    /// First row of the map, with its border, that `values` has.
    first: usize,
}

impl DirectConv {
    /// Where taps read relative to the first one: kernel rows, columns, blocks.
    pub fn taps(input: &Map, kernel: usize) -> Vec<usize> {
        let blocks = input.blocks();
        let places = (0..kernel * kernel).flat_map(|at| (0..blocks).map(move |block| (at, block)));
        let tap = |(at, block): (usize, usize)| {
            at / kernel * input.row() + block * input.block() + at % kernel * input.lanes
        };
        places.map(tap).collect()
    }

    /// Rows of the input, with its border, that rows of outputs read.
    fn input_rows(&self, rows: &Range<usize>) -> Range<usize> {
        let [kernel, stride, pad] = self.geometry;
        let first = rows.start * stride + self.input.pad - pad;
        first..first + (rows.len().max(1) - 1) * stride + kernel
    }

    /// The input's rows that a strip reads, as bytes.
    fn quantise(
        &self,
        isa: Isa,
        scale: ByteScale,
        rows: Range<usize>,
        input: &[f32],
        to: &mut [u8],
    ) {
        let map = &self.input;
        let len = map.blocks() * map.block();
        for (y, to) in rows.zip(to.chunks_exact_mut(len)) {
            let from = y * map.row() + map.first_block * map.block();
            quantise_row(isa, scale, &input[from..from + len], to);
        }
    }

    fn strip(
        &self,
        isa: Isa,
        strip: &Strip,
        inputs: [&[f32]; 3],
        parts: &mut [&mut [f32]],
        scratch: &mut [f32],
    ) {
        for (part, output) in parts.iter_mut().zip(&self.outputs) {
            strip.clear_border(&output.map, part);
        }
        let image = &inputs[0][strip.image * self.input.image()..];
        let beside = [inputs[1], inputs[2]];
        match &self.weights {
            Dense::Numbers(weights) => {
                let source = Source {
                    weights,
                    values: image,
                    map: self.input,
                    first: 0,
                };
                self.rows(isa, strip, &source, beside, parts);
            }
            Dense::Bytes { weights, input } => {
                let rows = self.input_rows(&strip.rows);
                let first = rows.start;
                let bytes = as_bytes(scratch);
                self.quantise(isa, *input, rows, image, bytes);
                let source = Source {
                    weights,
                    values: bytes,
                    map: self.input.alone(),
                    first,
                };
                self.rows(isa, strip, &source, beside, parts);
            }
        }
    }

    fn rows<E: Element>(
        &self,
        isa: Isa,
        strip: &Strip,
        source: &Source<'_, E>,
        [add, small]: [&[f32]; 2],
        parts: &mut [&mut [f32]],
    ) {
        let [_, stride, pad] = self.geometry;
        let read = &source.map;
        for y in strip.rows.clone() {
            // The border is at least as wide as the padding.
            let from = (y * stride + read.pad - pad - source.first) * read.row()
                + read.first_block * read.block()
                + (read.pad - pad) * read.lanes;
            let mut first = 0;
            for (part, output) in parts.iter_mut().zip(&self.outputs) {
                let map = &output.map;
                let at = strip.at_row(map, y);
                let row = &mut part[at..at + map.row()];
                conv_row(
                    isa,
                    ConvRow {
                        input: &source.values[from..],
                        taps: &self.taps,
                        step: stride * read.lanes,
                        weights: source.weights,
                        blocks: first..output.end,
                        acts: &self.acts,
                        add: self.add.map(|map| Add {
                            values: &add[strip.image * map.image() + map.at_row(y)..],
                            block: map.block(),
                        }),
                        out: &mut row[map.in_row()..],
                        out_block: map.block(),
                        width: map.shape[2],
                    },
                );
                if let Some(upsample) = &self.upsample {
                    let small = &small[strip.image * upsample.small.image()..];
                    upsample.add(isa, small, map, y, row);
                }
                first = output.end;
            }
        }
    }
}

impl Step for DirectConv {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = Taken::of(run, &self.outputs);
        let of = |map: Option<Map>| map.map_or(&[][..], |map| run.buffer(map.buffer));
        let small = self.upsample.map(|upsample| upsample.small);
        let inputs = [run.buffer(self.input.buffer), of(self.add), of(small)];
        let isa = run.isa;
        let work = |strip: Strip, mut parts: [&mut [f32]; 2], scratch: &mut [f32]| {
            self.strip(isa, &strip, inputs, &mut parts, scratch);
        };
        self.strips
            .run(run.count, run.scratch, taken.buffers(), &work);
        taken.put(run);
    }

    fn reads(&self) -> Vec<usize> {
        let upsample = self.upsample.map(|upsample| upsample.small);
        let maps = [Some(self.input), self.add, upsample];
        maps.into_iter().flatten().map(|map| map.buffer).collect()
    }

    fn writes(&self) -> Vec<usize> {
        self.outputs
            .iter()
            .map(|output| output.map.buffer)
            .collect()
    }

    fn scratch(&self, _images: usize) -> usize {
        if !self.weights.is_in_bytes() {
            return 0;
        }
        let rows = self.input_rows(&(0..self.strips.rows())).len();
        (rows * self.input.alone().row()).div_ceil(size_of::<f32>())
    }
}
