//! Heads: 1x1 convolutions straight into rows of anchors.

use std::sync::Arc;

use super::{Run, Step};
use crate::engine::kernels::{ConvRow, Numbers, Weights, conv_row};
use crate::engine::layout::Map;
use crate::net::Act;

/// Where one of the heads of a map goes.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Buffer of rows.
    pub buffer: usize,
    /// Numbers of an image in it.
    pub len: usize,
    /// Where this map's anchors begin.
    pub offset: usize,
    /// First of the convolution's channels that go there.
    pub first: usize,
    /// How many.
    pub channels: usize,
}

/// All heads of a map as one convolution.
#[derive(Debug)]
pub struct Heads {
    /// What they read.
    pub input: Map,
    /// Of all of them.
    pub weights: Arc<Weights<Numbers>>,
    /// None of them has one.
    pub acts: Vec<Act>,
    /// Where they go.
    pub heads: Vec<Head>,
    /// Where each block of the input begins.
    pub taps: Vec<usize>,
}

impl Step for Heads {
    fn run(&self, run: &mut Run<'_>) {
        let [_, height, width] = self.input.shape;
        let (isa, lanes) = (run.isa, self.input.lanes);
        let blocks = self.weights.blocks();
        for image in 0..run.count {
            for y in 0..height {
                let from = image * self.input.image() + self.input.at_row(y);
                run.scratch.with(|scratch| {
                    let slots = &mut *run.slots;
                    let input = slots[run.slot_of[self.input.buffer]].as_slice();
                    conv_row(
                        isa,
                        ConvRow {
                            input: &input[from..],
                            taps: &self.taps,
                            step: lanes,
                            weights: &self.weights,
                            blocks: 0..blocks,
                            acts: &self.acts,
                            add: None,
                            out: scratch,
                            out_block: width * lanes,
                            width,
                        },
                    );
                    for head in &self.heads {
                        let out = slots[run.slot_of[head.buffer]].as_mut_slice();
                        let at = image * head.len + head.offset + y * width * head.channels;
                        let out = &mut out[at..at + width * head.channels];
                        head.scatter(scratch, width, lanes, out);
                    }
                });
            }
        }
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        self.heads.iter().map(|head| head.buffer).collect()
    }

    fn scratch(&self, _images: usize) -> usize {
        self.weights.blocks() * self.input.shape[2] * self.input.lanes
    }
}

impl Head {
    /// A blocked row into rows of anchors.
    fn scatter(&self, row: &[f32], width: usize, lanes: usize, out: &mut [f32]) {
        for (x, out) in out.chunks_exact_mut(self.channels).enumerate() {
            let mut done = 0;
            while done < self.channels {
                let channel = self.first + done;
                let (block, lane) = (channel / lanes, channel % lanes);
                let count = (lanes - lane).min(self.channels - done);
                let from = (block * width + x) * lanes + lane;
                out[done..done + count].copy_from_slice(&row[from..from + count]);
                done += count;
            }
        }
    }
}

/// Maps that something else reads too, as rows of anchors.
#[derive(Debug)]
pub struct CopyRows {
    /// The map.
    pub input: Map,
    /// Where it goes; `first` is 0.
    pub head: Head,
}

impl Step for CopyRows {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.head.buffer);
        let input = run.buffer(self.input.buffer);
        let [channels, height, width] = self.input.shape;
        for image in 0..run.count {
            let rows = &mut taken.as_mut_slice()[image * self.head.len + self.head.offset..];
            let image = &input[image * self.input.image()..];
            for (at, out) in rows
                .chunks_exact_mut(channels)
                .take(height * width)
                .enumerate()
            {
                for (channel, out) in out.iter_mut().enumerate() {
                    *out = image[self.input.at(channel, at / width, at % width)];
                }
            }
        }
        run.put(self.head.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.head.buffer]
    }
}

/// A softmax over the numbers of each anchor, in place.
#[derive(Debug)]
pub struct SoftmaxRows {
    /// Buffer of rows.
    pub buffer: usize,
    /// Numbers of an image in it.
    pub len: usize,
    /// Numbers of an anchor.
    pub k: usize,
}

impl Step for SoftmaxRows {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.buffer);
        let all = &mut taken.as_mut_slice()[..run.count * self.len];
        for row in all.chunks_exact_mut(self.k.max(1)) {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|x| *x = (*x - largest).exp());
            let total: f32 = row.iter().sum();
            row.iter_mut().for_each(|x| *x /= total);
        }
        run.put(self.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.buffer]
    }
}
