//! Gradients of weights and bias.

use rayon::prelude::*;

use super::correlate::Correlate;
use super::geometry::{Geometry, Grid};
use super::task::lay;
use crate::ops::scratch::Scratch;

/// Positions that one weight-gradient sum should run over at least: below, the sums across the
/// vector lanes would dominate.
const LONG: usize = 4096;

/// Gradient of the weights `[O,C/groups,kh,kw]`.
pub(super) fn weight_gradient(g: &Geometry, x: &[f32], grad: &[f32]) -> Vec<f32> {
    if g.depthwise {
        depthwise_weights(g, x, grad)
    } else {
        dense_weights(g, x, grad)
    }
}

fn depthwise_weights(g: &Geometry, x: &[f32], grad: &[f32]) -> Vec<f32> {
    let rows = Aligned::new(g);
    let mut out = vec![0.0; g.out_channels * rows.taps.len()];
    out.par_chunks_mut(rows.taps.len())
        .enumerate()
        .for_each(|(c, out)| {
            let pick = |all: &[f32], plane: usize, size, grid: &Grid| {
                let mut flat = Scratch::stale(g.batch * grid.plane());
                for (b, dst) in flat.chunks_mut(grid.plane()).enumerate() {
                    grid.fill(&all[(b * g.out_channels + c) * plane..][..plane], size, dst);
                }
                flat
            };
            let x = pick(x, g.in_plane(), g.input, &rows.input);
            let grad = pick(grad, g.out_plane(), g.output, &rows.output);
            rows.correlate([&x, &grad], [1, 1], 0, out);
        });
    out
}

fn dense_weights(g: &Geometry, x: &[f32], grad: &[f32]) -> Vec<f32> {
    let rows = Aligned::new(g);
    let group = LONG.div_ceil(rows.span).min(g.batch);
    let groups = g.batch.div_ceil(group);
    let count = g.in_channels * rows.taps.len();
    let size = g.out_channels * count;
    let mut parts = Scratch::stale(groups * size);
    let (x_image, grad_image) = (g.in_channels * g.in_plane(), g.out_channels * g.out_plane());
    let sources = x
        .par_chunks(group * x_image)
        .zip(grad.par_chunks(group * grad_image));
    parts
        .par_chunks_mut(size)
        .zip(sources)
        .for_each(|(part, (x, grad))| {
            let laid = (!g.is_pointwise()).then(|| {
                [
                    lay(x, g.in_plane(), g.input, &rows.input),
                    lay(grad, g.out_plane(), g.output, &rows.output),
                ]
            });
            let flat = laid.as_ref().map_or([x, grad], |[x, grad]| [x, grad]);
            // Four output channels are one row of tiles.
            part.par_chunks_mut(4 * count)
                .enumerate()
                .for_each(|(index, out)| {
                    rows.correlate(flat, [g.in_channels, g.out_channels], 4 * index, out);
                });
        });
    let mut out = parts[..size].to_vec();
    for part in parts[size..].chunks(size) {
        out.iter_mut()
            .zip(part)
            .for_each(|(sum, part)| *sum += part);
    }
    out
}

/// Input and output gradient in layouts whose rows line up.
struct Aligned {
    input: Grid,
    output: Grid,
    taps: Vec<usize>,
    span: usize,
}

impl Aligned {
    fn new(g: &Geometry) -> Self {
        let input = Grid::of_input(g);
        Self {
            input,
            output: Grid::aligned_output(g),
            taps: g.taps().map(|tap| input.tap(tap)).collect(),
            span: (g.output[0] - 1) * input.size[1] + g.output[1],
        }
    }

    /// Weight gradients of the output channels from `first` on, as many as `out` has room for.
    fn correlate(
        &self,
        [x, grad]: [&[f32]; 2],
        [ins, outs]: [usize; 2],
        first: usize,
        out: &mut [f32],
    ) {
        let planes = grad.chunks(self.output.plane());
        let left: Vec<&[f32]> = planes.map(|plane| &plane[..self.span]).collect();
        let right: Vec<&[f32]> = x
            .chunks(self.input.plane())
            .flat_map(|plane| {
                self.taps
                    .iter()
                    .map(move |&tap| &plane[tap..tap + self.span])
            })
            .collect();
        Correlate {
            left: &left,
            lefts: outs,
            right: &right,
            rights: ins * self.taps.len(),
            first,
            out,
        }
        .run();
    }
}

/// Sum over images and positions per channel.
pub(super) fn channel_sums(g: &Geometry, grad: &[f32]) -> Vec<f32> {
    let plane = g.out_plane();
    (0..g.out_channels)
        .into_par_iter()
        .map(|c| {
            let planes = grad.chunks(plane).skip(c).step_by(g.out_channels);
            planes
                .map(crate::ops::simd::sum)
                .map(f64::from)
                .sum::<f64>() as f32
        })
        .collect()
}
