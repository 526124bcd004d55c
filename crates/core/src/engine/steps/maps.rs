//! Everything else that is done to maps.

use std::sync::Arc;

use super::{Run, Step};
use crate::engine::kernels::{self, Buffer};
use crate::engine::layout::Map;
use crate::net::Act;

/// Rows of own pixels of each block of a map: `f(image, y, block, row)`.
pub(super) fn each_row(
    map: &Map,
    count: usize,
    values: &mut [f32],
    mut f: impl FnMut([usize; 3], &mut [f32]),
) {
    let width = map.shape[2] * map.lanes;
    for image in 0..count {
        for y in 0..map.shape[1] {
            for block in 0..map.blocks() {
                let at = image * map.image() + map.at_row(y) + block * map.block();
                f([image, y, block], &mut values[at..at + width]);
            }
        }
    }
}

/// [`each_row`] of the map of a buffer, while `f` reads the others.
pub(super) fn write_rows(
    run: &mut Run<'_>,
    map: &Map,
    mut f: impl FnMut(&Run<'_>, [usize; 3], &mut [f32]),
) {
    let mut taken = run.take(map.buffer);
    each_row(map, run.count, taken.as_mut_slice(), |at, row| {
        f(run, at, row)
    });
    run.put(map.buffer, taken);
}

/// Where a row of a block begins.
pub(super) fn row_at(map: &Map, [image, y, block]: [usize; 3]) -> usize {
    image * map.image() + map.at_row(y) + block * map.block()
}

/// A map into a buffer of its own, with a border.
#[derive(Debug)]
pub struct CopyStep {
    /// From here.
    pub input: Map,
    /// To here.
    pub output: Map,
    /// The output's channel that the input's first one becomes.
    pub first_channel: usize,
}

impl Step for CopyStep {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.output.buffer);
        let input = run.buffer(self.input.buffer);
        let [channels, height, width] = self.input.shape;
        let (from, to) = (&self.input, &self.output);
        for image in 0..run.count {
            let out = &mut taken.as_mut_slice()[image * to.image()..][..to.image()];
            let input = &input[image * from.image()..];
            if self.first_channel == 0 {
                out.fill(0.0);
            }
            for channel in 0..channels {
                for y in 0..height {
                    for x in 0..width {
                        let at = to.at(self.first_channel + channel, y, x);
                        out[at] = input[from.at(channel, y, x)];
                    }
                }
            }
        }
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }
}

/// An activation, in place.
#[derive(Debug)]
pub struct ActStep {
    /// Of this.
    pub map: Map,
    /// Which.
    pub act: Act,
}

impl Step for ActStep {
    fn run(&self, run: &mut Run<'_>) {
        write_rows(run, &self.map, |run, _, row| {
            kernels::act_row(run.isa, row, self.act);
        });
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }
}

/// Negative numbers times the slope of their channel, in place.
#[derive(Debug)]
pub struct PReluStep {
    /// Of this.
    pub map: Map,
    /// `[block][lane]`.
    pub slope: Arc<Buffer>,
}

impl Step for PReluStep {
    fn run(&self, run: &mut Run<'_>) {
        write_rows(run, &self.map, |run, [_, _, block], row| {
            let slope = &self.slope.as_slice()[block * self.map.lanes..];
            kernels::prelu_row(run.isa, row, slope);
        });
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }
}

/// A sum and an activation, in place of the first summand.
#[derive(Debug)]
pub struct AddStep {
    /// The first summand and the sum.
    pub map: Map,
    /// The second one, enlarged where it is smaller.
    pub other: Map,
    /// What follows.
    pub act: Act,
}

impl Step for AddStep {
    fn run(&self, run: &mut Run<'_>) {
        let (map, from) = (&self.map, &self.other);
        write_rows(run, map, |run, [image, y, block], row| {
            let y = y * from.shape[1] / map.shape[1];
            let at = row_at(from, [image, y, block]);
            let other = &run.buffer(from.buffer)[at..at + from.shape[2] * from.lanes];
            if from.shape == map.shape {
                kernels::add_row(run.isa, row, other, self.act);
            } else {
                kernels::upsample_add_row(run.isa, row, other);
                kernels::act_row(run.isa, row, self.act);
            }
        });
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.map.buffer, self.other.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }
}

/// Channels times factors, in place.
#[derive(Debug)]
pub struct ScaleStep {
    /// Of this.
    pub map: Map,
    /// A map of one pixel.
    pub factor: Map,
}

impl Step for ScaleStep {
    fn run(&self, run: &mut Run<'_>) {
        write_rows(run, &self.map, |run, [image, _, block], row| {
            let at = row_at(&self.factor, [image, 0, block]);
            kernels::scale_row(run.isa, row, &run.buffer(self.factor.buffer)[at..]);
        });
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.map.buffer, self.factor.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }
}

/// Expected places under the softmax of maps.
#[derive(Debug)]
pub struct PlacesStep {
    /// The maps.
    pub input: Map,
    /// `[block][pixel][lane]`.
    pub prior: Arc<Buffer>,
    /// From the centre of a map to its edge.
    pub reach: f32,
    /// A map of one pixel: x and y of each landmark in turn.
    pub output: Map,
}

impl Step for PlacesStep {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.output.buffer);
        let input = run.buffer(self.input.buffer);
        let (map, lanes) = (&self.input, self.input.lanes);
        let [points, height, width] = map.shape;
        let each = height * width * lanes;
        for image in 0..run.count {
            let out = &mut taken.as_mut_slice()[image * self.output.image()..];
            for block in 0..map.blocks() {
                run.scratch.with(|scratch| {
                    let (maps, rest) = scratch.split_at_mut(each);
                    let (x, y) = rest.split_at_mut(lanes);
                    for (row, own) in maps.chunks_exact_mut(width * lanes).enumerate() {
                        let at = row_at(map, [image, row, block]);
                        own.copy_from_slice(&input[at..at + width * lanes]);
                    }
                    let prior = &self.prior.as_slice()[block * each..];
                    let places = [&mut *x, &mut y[..lanes]];
                    kernels::expected_places(run.isa, maps, prior, width, self.reach, places);
                    for lane in 0..lanes.min(points - block * lanes) {
                        let at = 2 * (block * lanes + lane);
                        out[at] = x[lane];
                        out[at + 1] = y[lane];
                    }
                });
            }
        }
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }

    fn scratch(&self, _images: usize) -> usize {
        (self.input.shape[1] * self.input.shape[2] + 2) * self.input.lanes
    }
}

/// Zeros where a window lies beyond the edge of its map, in place.
#[derive(Debug)]
pub struct MaskStep {
    /// Windows, one an image.
    pub map: Map,
    /// Pixels from the middle of a window to its edge.
    pub margin: usize,
}

impl Step for MaskStep {
    fn run(&self, run: &mut Run<'_>) {
        let Some(windows) = run.windows else { return };
        let mut taken = run.take(self.map.buffer);
        let margin = self.margin;
        let within =
            |at: usize, step: usize, side: usize| at + step >= margin && at + step < side + margin;
        each_row(
            &self.map,
            run.count,
            taken.as_mut_slice(),
            |[image, y, _], row| {
                let [_, at_y, at_x] = windows.places[image];
                let inside = within(at_y, y, windows.size[0]);
                for (x, pixel) in row.chunks_exact_mut(self.map.lanes).enumerate() {
                    if !inside || !within(at_x, x, windows.size[1]) {
                        pixel.fill(0.0);
                    }
                }
            },
        );
        run.put(self.map.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.map.buffer]
    }
}
