//! Products over a whole batch, in parallel over images, bands of them, or planes.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::geometry::{Geometry, Grid, Place};
use super::product::{Packed, Product};
use crate::ops::scratch::{Scratch, written};

/// Floats that are worth a task of their own when planes are laid out.
const PIECE: usize = 1 << 17;

/// One product over a flat layout: which offsets, which weights, where to.
pub(super) struct Pass {
    pub(super) offsets: Vec<usize>,
    /// One for a dense convolution, one per channel for a depthwise one.
    pub(super) packed: Vec<Packed>,
    pub(super) place: Place,
}

/// What to do with every image of a batch.
pub(super) struct Task<'a> {
    pub(super) g: &'a Geometry,
    /// Layout of the source planes, and their size.
    pub(super) grid: Grid,
    pub(super) source: [usize; 2],
    pub(super) passes: Vec<Pass>,
    /// Channels and plane size of the result.
    pub(super) channels: usize,
    pub(super) target: [usize; 2],
    pub(super) slope: Option<f32>,
}

impl Task<'_> {
    /// The result for source values `x`.
    pub(super) fn run(&self, x: &[f32]) -> Vec<f32> {
        let len = self.g.batch * self.channels * self.target[0] * self.target[1];
        // SAFETY: a single pass with step 1 covers its target; otherwise zeros come first.
        unsafe {
            written(len, |out| {
                if !self.covers() {
                    out.fill(MaybeUninit::new(0.0));
                }
                if self.g.depthwise {
                    self.planes(x, out);
                } else {
                    self.images(x, out);
                }
            })
        }
    }

    /// Whether one pass writes every pixel.
    fn covers(&self) -> bool {
        let whole = |pass: &Pass| pass.place.step == 1 && pass.place.keep == self.target;
        self.passes.len() == 1 && self.passes.iter().all(whole)
    }

    fn planes(&self, x: &[f32], out: &mut [MaybeUninit<f32>]) {
        let source = self.source[0] * self.source[1];
        let planes = out.par_chunks_mut(self.target[0] * self.target[1]);
        planes
            .zip(x.par_chunks(source))
            .enumerate()
            .for_each(|(index, (out, x))| {
                let flat = lay(x, source, self.source, &self.grid);
                for pass in &self.passes {
                    self.apply(pass, index % self.channels, &flat, 0, vec![&mut *out]);
                }
            });
    }

    fn images(&self, x: &[f32], out: &mut [MaybeUninit<f32>]) {
        let plane = self.target[0] * self.target[1];
        let rows = self.target[0].div_ceil(self.bands());
        let images = out.par_chunks_mut(self.channels * plane);
        images
            .zip(x.par_chunks(x.len() / self.g.batch))
            .for_each(|(out, x)| {
                let source = self.source[0] * self.source[1];
                let flat =
                    (!self.g.is_pointwise()).then(|| lay(x, source, self.source, &self.grid));
                let flat = flat.as_deref().unwrap_or(x);
                if rows >= self.target[0] {
                    for pass in &self.passes {
                        self.apply(pass, 0, flat, 0, out.chunks_mut(plane).collect());
                    }
                    return;
                }
                let mut bands: Vec<Vec<_>> =
                    (0..self.target[0]).step_by(rows).map(|_| vec![]).collect();
                for plane in out.chunks_mut(plane) {
                    let pieces = plane.chunks_mut(rows * self.target[1]);
                    bands
                        .iter_mut()
                        .zip(pieces)
                        .for_each(|(band, piece)| band.push(piece));
                }
                bands.into_par_iter().enumerate().for_each(|(index, band)| {
                    self.apply(&self.passes[0], 0, flat, index * rows, band);
                });
            });
    }

    /// How many bands of rows each image is split into, so that few images keep all threads busy.
    fn bands(&self) -> usize {
        let threads = rayon::current_num_threads();
        if !self.covers() || threads == 1 || self.g.batch >= threads {
            return 1;
        }
        (2 * threads)
            .div_ceil(self.g.batch)
            .min(self.target[0].div_ceil(4))
    }

    /// Runs `pass` with weights `index` for the target rows from `first` on, as many as `out` has.
    fn apply(
        &self,
        pass: &Pass,
        index: usize,
        x: &[f32],
        first: usize,
        out: Vec<&mut [MaybeUninit<f32>]>,
    ) {
        let mut place = pass.place;
        if let (true, Some(band)) = (self.covers(), out.first()) {
            place.keep[0] = band.len() / self.target[1];
        }
        Product {
            packed: &pass.packed[index],
            x,
            offsets: &pass.offsets,
            shift: first * place.width,
            place,
            slope: self.slope,
            out,
        }
        .run();
    }
}

/// Planes of `plane` floats, `size` each, laid out in `grid`.
pub(super) fn lay(src: &[f32], plane: usize, size: [usize; 2], grid: &Grid) -> Scratch {
    let mut flat = Scratch::stale(src.len() / plane * grid.plane());
    // Large pieces only: small ones stay on this thread.
    let planes = flat.par_chunks_mut(grid.plane()).zip(src.par_chunks(plane));
    let planes = planes.with_min_len(PIECE.div_ceil(plane));
    planes.for_each(|(dst, src)| grid.fill(src, size, dst));
    flat
}
