//! Dense convolutions: a tile of output pixels times one or two blocks of output channels stays in
//! registers while everything that it depends on goes by.

mod weights;

use std::ops::Range;

use super::Isa;
use super::element::{Arithmetic, Element, ElementKernel};
use super::simd::Simd;
use crate::net::Act;

pub use weights::{ByteOutput, Weights};

/// Blocks of output channels in a tile.
const PAIR: usize = 2;

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
    /// then. Neighbours and every other one of blocks of 8 and 16, of three colours, and of
    /// grey.
    unsafe fn of_step<const Q: usize, const P: usize>(self, isa: Isa, step: usize) {
        unsafe {
            match step {
                1 => E::run(isa, Tile::<E, Q, P, 1>(self)),
                2 => E::run(isa, Tile::<E, Q, P, 2>(self)),
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
        // Never asked for: not worth compiling. Only an image has pixels of one or three numbers.
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
mod tests;
