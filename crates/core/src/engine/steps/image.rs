//! The first convolution, from pixels.

use std::ops::Range;
use std::sync::Arc;

use super::{Run, Step, Strip, Strips};
use crate::engine::kernels::{ConvRow, Isa, Numbers, Weights, conv_row};
use crate::engine::layout::Map;
use crate::engine::{Image, Images};
use crate::error::Result;
use crate::net::Act;
use crate::settings::{ChannelOrder, InputConfig, luma};

/// Bytes of a pixel.
const COLOURS: usize = 3;

/// How pixels become the numbers that the network was trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    /// Of red, green and blue, subtracted from 0..=255; of grey the first.
    pub mean: [f32; COLOURS],
    /// Divides red, green and blue after that; grey the first.
    pub std: [f32; COLOURS],
    /// Channels that the network wants. Inside, red always is the first of three: the first
    /// convolution's weights change places instead of the pixels.
    pub order: ChannelOrder,
}

impl Normalise {
    /// As the settings of a network say.
    ///
    /// # Errors
    /// When they have not one number for each channel.
    pub fn of(input: &InputConfig) -> Result<Self> {
        let [mean, std] = input.red_first()?;
        let order = input.channel_order;
        Ok(Self { mean, std, order })
    }

    /// The network's channel that red, green or blue is; of grey the only one.
    pub const fn channel(&self, colour: usize) -> usize {
        match self.order {
            ChannelOrder::Rgb | ChannelOrder::Grey => colour,
            ChannelOrder::Bgr => 2 - colour,
        }
    }

    /// Channels of an image.
    pub const fn channels(&self) -> usize {
        self.order.channels()
    }
}

/// A dense convolution of the image.
#[derive(Debug)]
pub struct Stem {
    /// Height and width of the image.
    pub size: [usize; 2],
    /// Kernel, stride, zeros on each side.
    pub geometry: [usize; 3],
    /// `[kernel row][kernel column, channel]`.
    pub weights: Arc<Weights<Numbers>>,
    /// Of each block.
    pub acts: Vec<Act>,
    /// Width of its outputs.
    pub width: usize,
    /// Where each row of the kernel reads.
    pub taps: Vec<usize>,
    /// Means of all channels of a row.
    pub mean: Vec<f32>,
    /// Factors of all channels of a row.
    pub factor: Vec<f32>,
    /// See there.
    pub normalise: Normalise,
}

impl Stem {
    /// Numbers of a row of the image with its zeros.
    pub const fn row(normalise: &Normalise, width: usize, pad: usize) -> usize {
        (width + 2 * pad) * normalise.channels()
    }

    fn own_row(&self) -> usize {
        Self::row(&self.normalise, self.size[1], self.geometry[2])
    }

    fn lines(&self, rows: usize) -> usize {
        let [kernel, stride, _] = self.geometry;
        (rows.max(1) - 1) * stride + kernel
    }

    /// The image's rows that `rows` of the output read, with zeros around, channels side by side.
    fn read(&self, image: &Image<'_>, rows: &Range<usize>, out: &mut [f32]) {
        let [_, stride, pad] = self.geometry;
        let [height, width] = self.size;
        let (row, channels) = (self.own_row(), self.normalise.channels());
        for (line, out) in out
            .chunks_exact_mut(row)
            .take(self.lines(rows.len()))
            .enumerate()
        {
            let y = (rows.start * stride + line)
                .checked_sub(pad)
                .filter(|&y| y < height);
            let (left, rest) = out.split_at_mut(pad * channels);
            let (inside, right) = rest.split_at_mut(width * channels);
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
        self.lines(rows) * self.own_row()
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
        let [_, stride, _] = self.geometry;
        let row = self.own_row();
        self.read(image, &rows, lines);
        for y in rows.clone() {
            conv_row(
                isa,
                ConvRow {
                    input: &lines[(y - rows.start) * stride * row..],
                    taps: &self.taps,
                    step: stride * self.normalise.channels(),
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
        let channels = self.normalise.channels();
        match *image {
            Image::Rgb { pixels, size } => {
                let covered = if y < size[0] { size[1] } else { 0 };
                let covered = covered.min(out.len() / channels);
                let (inside, outside) = out.split_at_mut(covered * channels);
                outside.fill(0.0);
                if covered > 0 {
                    let row = &pixels[y * size[1] * COLOURS..][..covered * COLOURS];
                    match self.normalise.order {
                        ChannelOrder::Grey => {
                            let pixels = row.as_chunks::<COLOURS>().0;
                            self.normalised(pixels.iter().map(|&pixel| luma(pixel)), inside);
                        }
                        _ => self.normalised(row.iter().copied(), inside),
                    }
                }
            }
            Image::Planar(numbers) => {
                let [height, width] = self.size;
                for (x, out) in out.chunks_exact_mut(channels).enumerate() {
                    for (colour, out) in out.iter_mut().enumerate() {
                        let plane = self.normalise.channel(colour);
                        *out = numbers[(plane * height + y) * width + x];
                    }
                }
            }
        }
    }

    fn normalised(&self, bytes: impl Iterator<Item = u8>, out: &mut [f32]) {
        let tables = self.mean.iter().zip(&self.factor);
        for ((value, byte), (mean, factor)) in out.iter_mut().zip(bytes).zip(tables) {
            *value = (f32::from(byte) - mean) * factor;
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
