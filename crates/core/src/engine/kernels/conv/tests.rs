//! Convolutions in bytes against sums of 64 bits.

use super::*;
use crate::engine::kernels::Bytes;

/// Outputs, taps, inputs and pixels that need every kind of tile, block and group.
const SHAPES: [[usize; 4]; 4] = [
    [40, 9, 13, 31],
    [16, 1, 16, 14],
    [5, 4, 8, 3],
    [70, 2, 3, 64],
];

/// Extremes often.
fn byte(at: usize) -> u8 {
    match at * 7 % 5 {
        0 => 255,
        1 => 0,
        _ => (at * 89 % 256) as u8,
    }
}

fn weight(output: usize, tap: usize, input: usize) -> i8 {
    let at = (output * 31 + tap * 17 + input * 5) as u64;
    match at % 7 {
        0 => -127,
        1 => 127,
        _ => (at * 97 % 255) as u8 as i8 ^ 1,
    }
    .max(-127)
}

/// A row of every output, one channel after the other.
fn row(isa: Isa, [outputs, taps, inputs, width]: [usize; 4], zero: u8, stride: usize) -> Vec<f32> {
    let lanes = isa.lanes();
    let output = |output| ByteOutput {
        scale: 0.001 * (output + 1) as f32,
        bias: output as f32 - 3.3,
    };
    let inner = inputs.min(lanes);
    let tap_blocks = inputs.div_ceil(lanes);
    let weights = Weights::<Bytes>::pack(
        isa,
        [outputs, taps * tap_blocks, inner],
        |output, tap, lane| {
            let input = tap % tap_blocks * lanes + lane;
            if input < inputs {
                weight(output, tap / tap_blocks, input)
            } else {
                0
            }
        },
        zero,
        output,
    );
    let row_len = ((width - 1) * stride + taps) * lanes;
    // Channel c of pixel x has the same byte, however many lanes there are.
    let input: Vec<u8> = (0..tap_blocks * row_len)
        .map(|at| byte(at % row_len / lanes * 64 + at / row_len * lanes + at % lanes))
        .collect();
    let tap = |at: usize| at / tap_blocks * lanes + at % tap_blocks * row_len;
    let read: Vec<usize> = (0..taps * tap_blocks).map(tap).collect();
    let mut out = vec![0.0; weights.blocks() * width * lanes];
    conv_row(
        isa,
        ConvRow {
            input: &input,
            taps: &read,
            step: stride * lanes,
            weights: &weights,
            blocks: 0..weights.blocks(),
            acts: &vec![Act::None; weights.blocks()],
            add: None,
            out: &mut out,
            out_block: width * lanes,
            width,
        },
    );
    let places = (0..outputs).flat_map(|output| (0..width).map(move |x| (output, x)));
    places
        .map(|(output, x)| out[(output / lanes * width + x) * lanes + output % lanes])
        .collect()
}

fn by_definition([outputs, taps, inputs, width]: [usize; 4], zero: u8, stride: usize) -> Vec<f32> {
    let places = (0..outputs).flat_map(|output| (0..width).map(move |x| (output, x)));
    let value = |(output, x): (usize, usize)| {
        let products = (0..taps * inputs).map(|at| {
            let (tap, input) = (at / inputs, at % inputs);
            let byte = byte((x * stride + tap) * 64 + input);
            (i64::from(byte) - i64::from(zero)) * i64::from(weight(output, tap, input))
        });
        let sum: i64 = products.sum();
        sum as f32 * (0.001 * (output + 1) as f32) + (output as f32 - 3.3)
    };
    places.map(value).collect()
}

#[test]
fn bytes_give_the_same_numbers_with_every_instruction_set() {
    for shape in SHAPES {
        for (zero, stride) in [(0, 1), (113, 2), (255, 1)] {
            let expected = by_definition(shape, zero, stride);
            for isa in Isa::all() {
                let found = row(isa, shape, zero, stride);
                assert_eq!(found, expected, "{shape:?}, zero {zero}, {}", isa.name());
            }
        }
    }
}
