//! Dense convolutions: a tile of output pixels times one or two blocks of output channels stays in
//! registers while everything that it depends on goes by.

use std::marker::PhantomData;
use std::ops::Range;

use super::Isa;
use super::buffer::Buffer;
use super::element::{Arithmetic, Bytes, Element, ElementKernel, Numbers};
use super::simd::Simd;
use crate::net::Act;

/// Blocks of output channels in a tile.
const PAIR: usize = 2;

/// Weights in the order in which the loops read them: for each pair of output blocks (the last may
/// be single) `[taps * groups][blocks of the pair * lanes][inputs of a group]`.
#[derive(Clone, Debug)]
pub struct Weights<E> {
    packed: Buffer,
    /// For each block the vectors that [`Element::OF_OUTPUTS`] counts.
    of_outputs: Buffer,
    taps: usize,
    groups: usize,
    blocks: usize,
    lanes: usize,
    element: PhantomData<E>,
}

/// Outputs, taps, and inputs of each tap.
type Shape = [usize; 3];

/// Every weight of a convolution in the order of [`Weights`]: output, tap, input, if there is one.
fn in_order<E: Element>(
    lanes: usize,
    [outputs, taps, inputs]: Shape,
) -> impl Iterator<Item = Option<[usize; 3]>> {
    let blocks = outputs.div_ceil(lanes);
    let groups = inputs.div_ceil(E::GROUP);
    let pairs = (0..blocks).step_by(PAIR);
    pairs.flat_map(move |first| {
        let width = PAIR.min(blocks - first) * lanes;
        let all = 0..taps * groups * width * E::GROUP;
        all.map(move |at| {
            let (group, rest) = (at / (width * E::GROUP), at % (width * E::GROUP));
            let output = first * lanes + rest / E::GROUP;
            let input = group % groups * E::GROUP + rest % E::GROUP;
            (output < outputs && input < inputs).then_some([output, group / groups, input])
        })
    })
}

impl<E: Element> Weights<E> {
    fn new(lanes: usize, [outputs, taps, inputs]: Shape, packed: Buffer, rows: &[&[f32]]) -> Self {
        let blocks = outputs.div_ceil(lanes);
        let mut of_outputs = Buffer::zeros(blocks * rows.len() * lanes);
        for (row, values) in rows.iter().enumerate() {
            for (output, &value) in values.iter().enumerate() {
                let at = (output / lanes * rows.len() + row) * lanes + output % lanes;
                of_outputs.as_mut_slice()[at] = value;
            }
        }
        Self {
            packed,
            of_outputs,
            taps,
            groups: inputs.div_ceil(E::GROUP),
            blocks,
            lanes,
            element: PhantomData,
        }
    }

    /// Blocks of output channels.
    pub const fn blocks(&self) -> usize {
        self.blocks
    }
}

impl Weights<Numbers> {
    /// From `weight(output, tap, input)` and the bias of each output.
    pub fn pack(
        isa: Isa,
        shape: Shape,
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Self {
        let lanes = isa.lanes();
        let packed: Vec<f32> = in_order::<Numbers>(lanes, shape)
            .map(|at| at.map_or(0.0, |[output, tap, input]| weight(output, tap, input)))
            .collect();
        let bias: Vec<f32> = (0..shape[0]).map(bias).collect();
        Self::new(lanes, shape, Buffer::of(&packed), &[&bias])
    }
}

/// What an output of a convolution in bytes is: `scale * (sum over (input - zero) * weight) + bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteOutput {
    /// Of its sums.
    pub scale: f32,
    /// In the end.
    pub bias: f32,
}

impl Weights<Bytes> {
    /// From `weight(output, tap, input)`, the byte that stands for zero in the input, and what
    /// becomes of each output.
    pub fn pack(
        isa: Isa,
        shape: Shape,
        mut weight: impl FnMut(usize, usize, usize) -> i8,
        zero: u8,
        output: impl Fn(usize) -> ByteOutput,
    ) -> Self {
        let lanes = isa.lanes();
        let mut sums = vec![0; shape[0]];
        let mut packed = Vec::new();
        for at in in_order::<Bytes>(lanes, shape) {
            packed.push(at.map_or(0, |[output, tap, input]| {
                let weight = weight(output, tap, input);
                sums[output] += i32::from(weight);
                weight
            }));
        }
        let zero = i32::from(zero) - isa.dot().1;
        let starts: Vec<f32> = sums
            .iter()
            .map(|sum| f32::from_bits((-zero * sum) as u32))
            .collect();
        let (scales, biases): (Vec<f32>, Vec<f32>) = (0..shape[0])
            .map(output)
            .map(|output| (output.scale, output.bias))
            .unzip();
        let packed = Buffer::of_bytes(&packed);
        Self::new(lanes, shape, packed, &[&starts, &scales, &biases])
    }
}

/// Pixels of tiles: each is compiled for every instruction set, number of blocks and distance.
const SIZES: [usize; 7] = [14, 12, 10, 6, 4, 2, 1];

/// What is added to the outputs before the activation.
#[derive(Clone, Copy, Debug)]
pub struct Add<'a> {
    /// Where its first pixel of the first block begins.
    pub values: &'a [f32],
    /// Numbers from one block to the next.
    pub block: usize,
}

/// A row of outputs of some blocks.
#[derive(Debug)]
pub struct ConvRow<'a, E: Element> {
    /// Begins where the first tap of the first output reads.
    pub input: &'a [E::Input],
    /// Where each tap reads, relative to the first one.
    pub taps: &'a [usize],
    /// Numbers from what one output reads to what the next one does.
    pub step: usize,
    /// Those of all blocks of the convolution.
    pub weights: &'a Weights<E>,
    /// Which of the blocks to compute.
    pub blocks: Range<usize>,
    /// Of each block of the convolution.
    pub acts: &'a [Act],
    /// The first one belongs to the first one of `blocks`.
    pub add: Option<Add<'a>>,
    /// Begins at the first pixel of the first one of `blocks`.
    pub out: &'a mut [f32],
    /// Numbers from one block to the next.
    pub out_block: usize,
    /// Outputs in the row.
    pub width: usize,
}

/// Compute a row.
pub fn conv_row<E: Element>(isa: Isa, row: ConvRow<'_, E>) {
    let weights = row.weights;
    let (lanes, blocks) = (isa.lanes(), row.blocks.len());
    if row.width == 0 || blocks == 0 {
        return;
    }
    let farthest = row.taps.iter().copied().max().unwrap_or(0);
    assert!(
        weights.lanes == lanes
            && weights.taps == row.taps.len()
            && row.blocks.end <= weights.blocks
            && row.acts.len() >= row.blocks.end
            && farthest + (row.width - 1) * row.step + weights.groups * E::GROUP <= row.input.len()
            && (blocks - 1) * row.out_block + row.width * lanes <= row.out.len()
            && row.add.is_none_or(|add| {
                (blocks - 1) * add.block + row.width * lanes <= add.values.len()
            }),
        "a row beyond its slices"
    );
    let each = row.taps.len() * weights.groups * lanes;
    let mut first = row.blocks.start;
    while first < row.blocks.end {
        let pair = first / PAIR * PAIR;
        // One of a pair may belong to somebody else.
        let both = first == pair && first + 1 < row.blocks.end;
        let at = first - row.blocks.start;
        let single = pair + 1 == weights.blocks;
        let packed = weights.packed.as_slice().as_ptr().cast::<E::Weight>();
        let tiles = Tiles::<E> {
            input: row.input.as_ptr(),
            taps: row.taps,
            groups: weights.groups,
            weights: packed.wrapping_add((pair * each + (first - pair) * lanes) * E::GROUP),
            weight_step: if single { lanes } else { PAIR * lanes } * E::GROUP,
            of_outputs: weights.of_outputs.as_slice()[first * E::OF_OUTPUTS * lanes..].as_ptr(),
            acts: [row.acts[first], row.acts[first + usize::from(both)]],
            add: row
                .add
                .map(|add| (add.values[at * add.block..].as_ptr(), add.block)),
            out: row.out[at * row.out_block..].as_mut_ptr(),
            out_block: row.out_block,
            count: 0,
        };
        // Checked above: tiles lie within the row, weights hold all pairs.
        unsafe {
            if both {
                tiles.row::<2>(isa, row.step, row.width);
            } else {
                tiles.row::<1>(isa, row.step, row.width);
            }
        }
        first += 1 + usize::from(both);
    }
}

/// Tiles of one size beside each other.
#[derive(Clone, Copy)]
struct Tiles<'a, E: Element> {
    input: *const E::Input,
    taps: &'a [usize],
    groups: usize,
    weights: *const E::Weight,
    weight_step: usize,
    of_outputs: *const f32,
    acts: [Act; PAIR],
    add: Option<(*const f32, usize)>,
    out: *mut f32,
    out_block: usize,
    count: usize,
}

impl<E: Element> Tiles<'_, E> {
    /// A whole row, the largest tiles first.
    unsafe fn row<const Q: usize>(self, isa: Isa, step: usize, width: usize) {
        let mut rest = self;
        let mut left = width;
        for pixels in SIZES.into_iter().filter(|&pixels| pixels <= E::tile(isa)) {
            rest.count = left / pixels;
            if rest.count > 0 {
                unsafe { rest.of_size::<Q>(isa, step, pixels) };
                let done = pixels * rest.count;
                let lanes = isa.lanes();
                left -= done;
                rest.input = rest.input.wrapping_add(done * step);
                rest.out = rest.out.wrapping_add(done * lanes);
                rest.add = rest
                    .add
                    .map(|(add, block)| (add.wrapping_add(done * lanes), block));
            }
        }
    }

    unsafe fn of_size<const Q: usize>(self, isa: Isa, step: usize, pixels: usize) {
        unsafe {
            match pixels {
                14 => self.of_step::<Q, 14>(isa, step),
                12 => self.of_step::<Q, 12>(isa, step),
                10 => self.of_step::<Q, 10>(isa, step),
                6 => self.of_step::<Q, 6>(isa, step),
                4 => self.of_step::<Q, 4>(isa, step),
                2 => self.of_step::<Q, 2>(isa, step),
                _ => self.of_step::<Q, 1>(isa, step),
            }
        }
    }

    /// Distances between pixels that occur are compiled in: every load has an address of its own
    /// then. Neighbours and every other one of blocks of 8 and 16, and of three colours.
    unsafe fn of_step<const Q: usize, const P: usize>(self, isa: Isa, step: usize) {
        unsafe {
            match step {
                3 => E::run(isa, Tile::<E, Q, P, 3>(self)),
                6 => E::run(isa, Tile::<E, Q, P, 6>(self)),
                8 => E::run(isa, Tile::<E, Q, P, 8>(self)),
                16 => E::run(isa, Tile::<E, Q, P, 16>(self)),
                32 => E::run(isa, Tile::<E, Q, P, 32>(self)),
                _ => unreachable!("pixels {step} numbers apart"),
            }
        }
    }
}

/// Pixels P, blocks Q, STEP numbers from one pixel to the next.
struct Tile<'a, E: Element, const Q: usize, const P: usize, const STEP: usize>(Tiles<'a, E>);

impl<E: Element, const Q: usize, const P: usize, const STEP: usize> ElementKernel<E>
    for Tile<'_, E, Q, P, STEP>
{
    #[inline(always)]
    unsafe fn run<A: Arithmetic<E>>(self) {
        let mut tiles = self.0;
        let lanes = A::Floats::LANES;
        // Never asked for: not worth compiling. Only an image has pixels of three numbers.
        let in_blocks = STEP == lanes || STEP == 2 * lanes;
        if P > A::TILE || !(in_blocks || STEP <= 6 && E::GROUP == 1) {
            return;
        }
        for _ in 0..tiles.count {
            unsafe {
                let sums = tiles.sums::<A, Q, P, STEP>();
                tiles.store(&sums);
            }
            tiles.input = tiles.input.wrapping_add(P * STEP);
            tiles.out = tiles.out.wrapping_add(P * lanes);
            let next = |(add, block): (*const f32, usize)| (add.wrapping_add(P * lanes), block);
            tiles.add = tiles.add.map(next);
        }
    }
}

impl<E: Element> Tiles<'_, E> {
    #[inline(always)]
    unsafe fn sums<A: Arithmetic<E>, const Q: usize, const P: usize, const STEP: usize>(
        &self,
    ) -> [[A; Q]; P] {
        let lanes = A::Floats::LANES;
        unsafe {
            let start = |q| A::start(self.of_outputs.add(q * E::OF_OUTPUTS * lanes));
            let start: [A; Q] = std::array::from_fn(start);
            let mut sums = [start; P];
            let mut weights = self.weights;
            for &tap in self.taps {
                let from = self.input.add(tap);
                for group in 0..self.groups {
                    let own = |q| A::weights(weights.add(q * lanes * E::GROUP));
                    let own: [A::Weights; Q] = std::array::from_fn(own);
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let x = A::pixel(from.add(p * STEP + group * E::GROUP));
                        for (sum, own) in sums.iter_mut().zip(own) {
                            *sum = sum.plus(x, own);
                        }
                    }
                    weights = weights.add(self.weight_step);
                }
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn store<A: Arithmetic<E>, const Q: usize, const P: usize>(&self, sums: &[[A; Q]; P]) {
        let lanes = A::Floats::LANES;
        for q in 0..Q {
            for (p, sums) in sums.iter().enumerate() {
                unsafe {
                    let mut sum = sums[q].finish(self.of_outputs.add(q * E::OF_OUTPUTS * lanes));
                    if let Some((add, block)) = self.add {
                        sum = sum.add(A::Floats::load(add.add(q * block + p * lanes)));
                    }
                    let out = self.out.add(q * self.out_block + p * lanes);
                    sum.act(self.acts[q]).store(out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::Isa;

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
    fn row(
        isa: Isa,
        [outputs, taps, inputs, width]: [usize; 4],
        zero: u8,
        stride: usize,
    ) -> Vec<f32> {
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

    fn by_definition(
        [outputs, taps, inputs, width]: [usize; 4],
        zero: u8,
        stride: usize,
    ) -> Vec<f32> {
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
}
