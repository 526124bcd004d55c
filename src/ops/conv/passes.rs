//! The passes of a convolution over a batch, in parallel over images or planes.

use rayon::prelude::*;

use super::geometry::{Geometry, Grid, Place};
use super::product::{Correlate, Packed, Product, block_rows};
use crate::ops::scratch::Scratch;

/// Positions that one weight-gradient sum should run over at least: below, the sums across the
/// vector lanes would dominate.
const LONG: usize = 4096;

/// One product over a flat layout: which offsets, which weights, where to.
struct Pass {
    offsets: Vec<usize>,
    /// One for a dense convolution, one per channel for a depthwise one.
    packed: Vec<Packed>,
    place: Place,
}

/// Output `[B,O,H',W']` of input `x` `[B,C,H,W]`.
pub(super) fn forward(g: &Geometry, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let grid = Grid::of_input(g);
    let place = Place {
        width: grid.size[1],
        keep: g.output,
        origin: [0, 0],
        step: 1,
        target: g.output[1],
    };
    let taps: Vec<usize> = g.taps().map(|tap| grid.tap(tap)).collect();
    let area = taps.len();
    let pass = if g.depthwise {
        let packed = (0..g.out_channels)
            .map(|c| {
                let bias = bias.map(|bias| &bias[c..=c]);
                Packed::new(1, area, 1, bias, |_, tap| weight[c * area + tap])
            })
            .collect();
        Pass {
            offsets: taps,
            packed,
            place,
        }
    } else {
        let all = area * g.in_channels;
        let packed = Packed::new(g.out_channels, all, block_rows(), bias, |row, tap| {
            weight[row * all + tap]
        });
        Pass {
            offsets: spread(&taps, g.in_channels, grid.plane()),
            packed: vec![packed],
            place,
        }
    };
    run(
        g,
        &grid,
        g.input,
        g.is_pointwise(),
        x,
        &[pass],
        g.out_channels,
        g.out_plane(),
    )
}

/// Gradient of the input from the gradient of the output.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], grad: &[f32]) -> Vec<f32> {
    let reach = g.reach();
    let low = g.lead.map(|lead| lead / g.stride);
    let high =
        [0, 1].map(|d| ((g.input[d] + g.lead[d] - 1) / g.stride).min(g.output[d] + reach[d] - 1));
    let grid = Grid {
        size: [0, 1].map(|d| high[d] + 1 + reach[d] - low[d]),
        step: 1,
        lead: [0, 1].map(|d| reach[d] - low[d]),
    };
    let mut passes = Vec::with_capacity(g.stride * g.stride);
    for a in 0..g.stride {
        for b in 0..g.stride {
            passes.extend(phase_pass(g, &grid, weight, [a, b], low, high));
        }
    }
    let direct = g.is_pointwise();
    run(
        g,
        &grid,
        g.output,
        direct,
        grad,
        &passes,
        g.in_channels,
        g.in_plane(),
    )
}

/// The input pixels at `phase` of the padded input take part in these taps only.
fn phase_pass(
    g: &Geometry,
    grid: &Grid,
    weight: &[f32],
    phase: [usize; 2],
    low: [usize; 2],
    high: [usize; 2],
) -> Option<Pass> {
    let reach = g.reach();
    let s = g.stride;
    let first = [0, 1].map(|d| g.lead[d].saturating_sub(phase[d]).div_ceil(s));
    let last = [0, 1].map(|d| {
        (g.input[d] + g.lead[d])
            .checked_sub(phase[d] + 1)
            .map(|p| p / s)
    });
    let keep =
        [0, 1].map(|d| last[d].map_or(0, |last| (last.min(high[d]) + 1).saturating_sub(first[d])));
    let taps: Vec<[usize; 2]> = g
        .taps()
        .filter(|tap| tap[0] % s == phase[0] && tap[1] % s == phase[1])
        .collect();
    if taps.is_empty() || keep.contains(&0) {
        return None;
    }
    let place = Place {
        width: grid.size[1],
        keep,
        origin: [0, 1].map(|d| first[d] * s + phase[d] - g.lead[d]),
        step: s,
        target: g.input[1],
    };
    let shift = |[y, x]: [usize; 2]| {
        let row = first[0] + reach[0] - low[0] - y / s;
        row * grid.size[1] + first[1] + reach[1] - low[1] - x / s
    };
    let offsets: Vec<usize> = taps.iter().map(|&tap| shift(tap)).collect();
    let flat: Vec<usize> = taps.iter().map(|[y, x]| y * g.kernel[1] + x).collect();
    let (area, few) = (g.kernel[0] * g.kernel[1], taps.len());
    Some(if g.depthwise {
        let packed = (0..g.out_channels)
            .map(|c| Packed::new(1, few, 1, None, |_, tap| weight[c * area + flat[tap]]))
            .collect();
        Pass {
            offsets,
            packed,
            place,
        }
    } else {
        let packed = Packed::new(
            g.in_channels,
            few * g.out_channels,
            block_rows(),
            None,
            |row, tap| weight[((tap / few) * g.in_channels + row) * area + flat[tap % few]],
        );
        Pass {
            offsets: spread(&offsets, g.out_channels, grid.plane()),
            packed: vec![packed],
            place,
        }
    })
}

/// The offsets of all channels: channel-major.
fn spread(taps: &[usize], channels: usize, plane: usize) -> Vec<usize> {
    (0..channels)
        .flat_map(|c| taps.iter().map(move |tap| c * plane + tap))
        .collect()
}

/// Runs `passes` over a batch: `x` laid out in `grid`, the results in planes of `plane` floats.
#[allow(clippy::too_many_arguments)]
fn run(
    g: &Geometry,
    grid: &Grid,
    size: [usize; 2],
    direct: bool,
    x: &[f32],
    passes: &[Pass],
    channels: usize,
    plane: usize,
) -> Vec<f32> {
    let mut out = vec![0.0; g.batch * channels * plane];
    let source = size[0] * size[1];
    if g.depthwise {
        let planes = out
            .par_chunks_mut(plane)
            .zip(x.par_chunks(source))
            .enumerate();
        planes.for_each(|(index, (out, x))| {
            let flat = lay(x, source, size, grid);
            for pass in passes {
                pass.apply(index % channels, &flat, out, plane);
            }
        });
    } else {
        let images = out.par_chunks_mut(channels * plane);
        images
            .zip(x.par_chunks(x.len() / g.batch))
            .for_each(|(out, x)| {
                let flat = (!direct).then(|| lay(x, source, size, grid));
                let flat = flat.as_deref().unwrap_or(x);
                for pass in passes {
                    pass.apply(0, flat, out, plane);
                }
            });
    }
    out
}

impl Pass {
    fn apply(&self, index: usize, x: &[f32], out: &mut [f32], plane: usize) {
        let packed = &self.packed[index];
        Product {
            packed,
            x,
            offsets: &self.offsets,
            place: self.place,
            out,
            plane,
        }
        .run();
    }
}

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

/// Planes of `plane` floats, `size` each, laid out in `grid`.
fn lay(src: &[f32], plane: usize, size: [usize; 2], grid: &Grid) -> Scratch {
    let mut flat = Scratch::stale(src.len() / plane * grid.plane());
    for (src, dst) in src.chunks(plane).zip(flat.chunks_mut(grid.plane())) {
        grid.fill(src, size, dst);
    }
    flat
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
