//! Means and maxima.

use super::maps::{each_row, row_at, write_rows};
use super::{Run, Step};
use crate::engine::kernels;
use crate::engine::layout::Map;
use crate::net::Pool;

/// Means over height and width.
#[derive(Debug)]
pub struct MeanStep {
    /// Of this.
    pub input: Map,
    /// A map of one pixel.
    pub output: Map,
}

impl Step for MeanStep {
    fn run(&self, run: &mut Run<'_>) {
        let map = &self.input;
        let size = [map.shape[1], map.row(), map.shape[2]];
        write_rows(run, &self.output, |run, [image, _, block], out| {
            let input = &run.buffer(map.buffer)[row_at(map, [image, 0, block])..];
            kernels::mean_rows(run.isa, input, size, out);
        });
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }
}

/// Maxima of squares.
#[derive(Debug)]
pub struct MaxPoolStep {
    /// Of this.
    pub input: Map,
    /// Which squares.
    pub pool: Pool,
    /// Where they go.
    pub output: Map,
}

impl Step for MaxPoolStep {
    fn run(&self, run: &mut Run<'_>) {
        let mut taken = run.take(self.output.buffer);
        let input = run.buffer(self.input.buffer);
        let (map, pool) = (&self.input, self.pool);
        // Borders of zeros are written with the rest.
        let out = taken.as_mut_slice();
        out[..run.count * self.output.image()].fill(0.0);
        each_row(&self.output, run.count, out, |[image, y, block], out| {
            let first = (y * pool.stride).saturating_sub(pool.pad);
            let past = (y * pool.stride + pool.kernel).saturating_sub(pool.pad);
            let rows = (first..past.min(map.shape[1])).map(|y| {
                let at = row_at(map, [image, y, block]);
                &input[at..at + map.shape[2] * map.lanes]
            });
            kernels::max_pool_row(run.isa, rows, pool, out);
        });
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        vec![self.input.buffer]
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }
}
