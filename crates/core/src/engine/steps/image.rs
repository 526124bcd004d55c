//! The first convolution, from pixels.

use std::ops::Range;
use std::sync::Arc;

use super::{Run, Step, Strip, Strips};
use crate::engine::kernels::{ConvRow, Isa, Numbers, Weights, conv_row};
use crate::engine::layout::Map;
use crate::engine::{Image, Images};
use crate::net::Act;

/// Channels of an image.
const COLOURS: usize = 3;

/// How pixels become the numbers that the network was trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    /// Of red, green and blue, subtracted from 0..=255.
    pub mean: [f32; COLOURS],
    /// Divides red, green and blue after that.
    pub std: [f32; COLOURS],
    /// Whether the network wants blue first. Inside, red always is: the first convolution's weights
    /// change places instead of the pixels.
    pub blue_first: bool,
}

impl Normalise {
    /// The network's channel that red, green or blue is.
    pub const fn channel(&self, colour: usize) -> usize {
        if self.blue_first { 2 - colour } else { colour }
    }
}

/// A dense convolution of the image.
#[derive(Debug)]
pub struct Stem {
    /// Height and width of the image.
    pub size: [usize; 2],
    /// Kernel, stride, zeros on each side.
    pub geometry: [usize; 3],
    /// `[kernel row][kernel column, colour]`.
    pub weights: Arc<Weights<Numbers>>,
    /// Of each block.
    pub acts: Vec<Act>,
    /// Width of its outputs.
    pub width: usize,
    /// Where each row of the kernel reads.
    pub taps: Vec<usize>,
    /// Means of all colours of a row.
    pub mean: Vec<f32>,
    /// Factors of all colours of a row.
    pub factor: Vec<f32>,
    /// See there.
    pub normalise: Normalise,
}

impl Stem {
    /// Numbers of a row of the image with its zeros.
    pub const fn row(width: usize, pad: usize) -> usize {
        (width + 2 * pad) * COLOURS
    }

    fn lines(&self, rows: usize) -> usize {
        let [kernel, stride, _] = self.geometry;
        (rows.max(1) - 1) * stride + kernel
    }

    /// The image's rows that `rows` of the output read, with zeros around, colours side by side.
    fn read(&self, image: &Image<'_>, rows: &Range<usize>, out: &mut [f32]) {
        let [_, stride, pad] = self.geometry;
        let [height, width] = self.size;
        let row = Self::row(width, pad);
        for (line, out) in out
            .chunks_exact_mut(row)
            .take(self.lines(rows.len()))
            .enumerate()
        {
            let y = (rows.start * stride + line)
                .checked_sub(pad)
                .filter(|&y| y < height);
            let (left, rest) = out.split_at_mut(pad * COLOURS);
            let (inside, right) = rest.split_at_mut(width * COLOURS);
            left.fill(0.0);
            right.fill(0.0);
            match y {
                Some(y) => self.read_row(image, y, inside),
                None => inside.fill(0.0),
            }
        }
    }

    /// Numbers of working memory for so many rows of outputs.
    pub fn scratch(&self, rows: usize) -> usize {
        self.lines(rows) * Self::row(self.size[1], self.geometry[2])
    }

    /// Compute `rows` of all blocks; the first pixel of row `y` goes to `at(y)` of `out`, blocks are
    /// `block` numbers apart.
    pub fn rows(
        &self,
        isa: Isa,
        image: &Image<'_>,
        rows: Range<usize>,
        lines: &mut [f32],
        (out, block, at): (&mut [f32], usize, impl Fn(usize) -> usize),
    ) {
        let [_, stride, pad] = self.geometry;
        let row = Self::row(self.size[1], pad);
        self.read(image, &rows, lines);
        for y in rows.clone() {
            conv_row(
                isa,
                ConvRow {
                    input: &lines[(y - rows.start) * stride * row..],
                    taps: &self.taps,
                    step: stride * COLOURS,
                    weights: &self.weights,
                    blocks: 0..self.weights.blocks(),
                    acts: &self.acts,
                    add: None,
                    out: &mut out[at(y)..],
                    out_block: block,
                    width: self.width,
                },
            );
        }
    }

    fn read_row(&self, image: &Image<'_>, y: usize, out: &mut [f32]) {
        match *image {
            Image::Rgb { pixels, size } => {
                let bytes = size[1] * COLOURS;
                let covered = if y < size[0] { bytes.min(out.len()) } else { 0 };
                let (inside, outside) = out.split_at_mut(covered);
                outside.fill(0.0);
                if covered > 0 {
                    let row = &pixels[y * bytes..][..covered];
                    let values = inside.iter_mut().zip(row);
                    let tables = self.mean.iter().zip(&self.factor);
                    for ((value, &byte), (mean, factor)) in values.zip(tables) {
                        *value = (f32::from(byte) - mean) * factor;
                    }
                }
            }
            Image::Planar(numbers) => {
                let [height, width] = self.size;
                for (x, out) in out.chunks_exact_mut(COLOURS).enumerate() {
                    for (colour, out) in out.iter_mut().enumerate() {
                        let plane = self.normalise.channel(colour);
                        *out = numbers[(plane * height + y) * width + x];
                    }
                }
            }
        }
    }
}

/// [`Stem`] by itself.
#[derive(Debug)]
pub struct StemStep {
    /// The convolution.
    pub stem: Stem,
    /// Where it goes.
    pub output: Map,
    /// Of the output.
    pub strips: Strips,
}

impl Step for StemStep {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.output.buffer);
        let (isa, map, images) = (run.isa, &self.output, run.images);
        let work = |strip: Strip, [part]: [&mut [f32]; 1], scratch: &mut [f32]| {
            strip.clear_border(map, part);
            let Images::Many(images) = images else { return };
            let at = |y| strip.at_row(map, y) + map.in_row();
            let out = (&mut *part, map.block(), at);
            let image = &images[strip.image];
            self.stem.rows(isa, image, strip.rows.clone(), scratch, out);
        };
        let buffers = [(taken.as_mut_slice(), map)];
        self.strips.run(run.count, run.scratch, buffers, &work);
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        Vec::new()
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }

    fn scratch(&self, _images: usize) -> usize {
        self.stem.scratch(self.strips.rows())
    }
}
