//! Loops over the numbers of maps.

use super::Value;
use crate::graph::Shape;
use crate::net::{Conv, Pool};

/// Without bias and what follows. `weight` `[O,I,k,k]`, or `[C,1,k,k]`.
pub fn convolve(conv: &Conv, weight: &[f32], x: &Value, [to, rows, columns]: Shape) -> Vec<f32> {
    let inputs = if conv.depthwise { 1 } else { x.shape[0] };
    let mut result = Vec::with_capacity(to * rows * columns);
    for o in 0..to {
        let mut sums = vec![0.0; rows * columns];
        for i in 0..inputs {
            let channel = if conv.depthwise { o } else { i };
            let square = conv.kernel * conv.kernel;
            let taps = &weight[(o * inputs + i) * square..][..square];
            for (tap, &factor) in taps.iter().enumerate() {
                let offset = [tap / conv.kernel, tap % conv.kernel];
                add_tap(conv, x, channel, offset, factor, columns, &mut sums);
            }
        }
        result.extend(sums.into_iter().map(|sum| sum as f32));
    }
    result
}

/// `factor` times the inputs that one place of the kernel meets; nothing for those beyond an edge.
fn add_tap(
    conv: &Conv,
    x: &Value,
    channel: usize,
    offset: [usize; 2],
    factor: f32,
    columns: usize,
    sums: &mut [f64],
) {
    let [_, h, w] = x.shape;
    for (y, sums) in sums.chunks_exact_mut(columns).enumerate() {
        let row = (y * conv.stride + offset[0]).checked_sub(conv.pad());
        let Some(row) = row.filter(|&row| row < h) else {
            continue;
        };
        let pixels = &x.values[(channel * h + row) * w..][..w];
        for (column, sum) in sums.iter_mut().enumerate() {
            let column = (column * conv.stride + offset[1]).checked_sub(conv.pad());
            if let Some(&pixel) = column.and_then(|column| pixels.get(column)) {
                *sum += f64::from(pixel) * f64::from(factor);
            }
        }
    }
}

pub fn max_pool(x: &Value, pool: &Pool, [channels, rows, columns]: Shape) -> Vec<f32> {
    let [_, h, w] = x.shape;
    let side = |i: usize, size: usize| {
        let first = i * pool.stride;
        first.saturating_sub(pool.pad)..(first + pool.kernel).saturating_sub(pool.pad).min(size)
    };
    let mut result = Vec::with_capacity(channels * rows * columns);
    for c in 0..channels {
        for y in 0..rows {
            for column in 0..columns {
                let places =
                    side(y, h).flat_map(|y| side(column, w).map(move |column| (y, column)));
                let values = places.map(|(y, column)| x.at(c, y, column));
                result.push(values.fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
    result
}

pub fn mean(x: &Value) -> Vec<f32> {
    let places = (x.shape[1] * x.shape[2]).max(1);
    let channels = x.values.chunks_exact(places);
    channels
        .map(|c| (c.iter().map(|&v| f64::from(v)).sum::<f64>() / places as f64) as f32)
        .collect()
}

pub fn upsample_add(small: &Value, large: &Value) -> Vec<f32> {
    let ([_, h, w], [channels, rows, columns]) = (small.shape, large.shape);
    let mut result = Vec::with_capacity(channels * rows * columns);
    for c in 0..channels {
        for y in 0..rows {
            for x in 0..columns {
                result.push(large.at(c, y, x) + small.at(c, y * h / rows, x * w / columns));
            }
        }
    }
    result
}

/// `[anchors*k,H,W]` in the order y, x, anchor, number.
pub fn rows(map: &Value, k: usize) -> Vec<f32> {
    let [channels, h, w] = map.shape;
    let mut result = Vec::with_capacity(channels * h * w);
    for y in 0..h {
        for x in 0..w {
            for anchor in 0..channels / k.max(1) {
                result.extend((0..k).map(|number| map.at(anchor * k + number, y, x)));
            }
        }
    }
    result
}

pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let powers: Vec<f64> = logits
        .iter()
        .map(|v| f64::from(v - largest).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

/// Where pixel `index` of `size` lies between `-reach` and `reach`.
fn place(index: usize, size: usize, reach: f32) -> f64 {
    ((index as f64 + 0.5) / size as f64 * 2.0 - 1.0) * f64::from(reach)
}

pub fn expected_places(maps: &Value, prior: &[f32], reach: f32) -> Vec<f32> {
    let [_, h, w] = maps.shape;
    let logits: Vec<f32> = maps.values.iter().zip(prior).map(|(a, b)| a + b).collect();
    let landmarks = logits.chunks_exact((h * w).max(1));
    let expected = |map: &[f32]| {
        let mut sums = [0.0; 2];
        for (index, &share) in softmax(map).iter().enumerate() {
            sums[0] += f64::from(share) * place(index % w, w, reach);
            sums[1] += f64::from(share) * place(index / w, h, reach);
        }
        sums.map(|sum| sum as f32)
    };
    landmarks.flat_map(expected).collect()
}
