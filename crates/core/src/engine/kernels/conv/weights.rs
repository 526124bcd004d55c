//! Weights of dense convolutions, packed.

use std::marker::PhantomData;

use super::PAIR;
use crate::engine::kernels::buffer::Buffer;
use crate::engine::kernels::element::{Bytes, Element, Numbers};
use crate::engine::kernels::isa::Isa;

/// Weights in the order in which the loops read them: for each pair of output blocks (the last may
/// be single) `[taps * groups][blocks of the pair * lanes][inputs of a group]`.
#[derive(Clone, Debug)]
pub struct Weights<E> {
    pub(super) packed: Buffer,
    /// For each block the vectors that [`Element::OF_OUTPUTS`] counts.
    pub(super) of_outputs: Buffer,
    pub(super) taps: usize,
    pub(super) groups: usize,
    pub(super) blocks: usize,
    pub(super) lanes: usize,
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
