//! The forward pass and the input gradient as products over flat layouts.

use super::geometry::{Geometry, Grid, Place};
use super::product::{Packed, block_rows};
use super::task::{Pass, Task};

/// Output `[B,O,H',W']` of input `x` `[B,C,H,W]`.
pub(super) fn forward(
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    slope: Option<f32>,
) -> Vec<f32> {
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
    Task {
        g,
        grid,
        source: g.input,
        passes: vec![pass],
        channels: g.out_channels,
        target: g.output,
        slope,
    }
    .run(x)
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
    Task {
        g,
        grid,
        source: g.output,
        passes,
        channels: g.in_channels,
        target: g.input,
        slope: None,
    }
    .run(grad)
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
