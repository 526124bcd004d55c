//! Dense convolutions: a tile of output pixels times one or two blocks of output channels stays in
//! registers while everything that it depends on goes by.

use std::ops::Range;

use super::buffer::Buffer;
use super::simd::Simd;
use super::{Isa, Kernel};
use crate::net::Act;

/// Blocks of output channels in a tile.
const PAIR: usize = 2;

/// Weights in the order in which the loops read them: for each pair of output blocks (the last may
/// be single) `[taps * inner][blocks of the pair * lanes]`.
#[derive(Clone, Debug)]
pub struct Weights {
    packed: Buffer,
    bias: Buffer,
    taps: usize,
    inner: usize,
    blocks: usize,
    lanes: usize,
}

impl Weights {
    /// From `weight(output, tap, i)` for `outputs` channels, `taps` places and `inner` numbers at
    /// each, and the bias of each output.
    pub fn pack(
        isa: Isa,
        [outputs, taps, inner]: [usize; 3],
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Self {
        let lanes = isa.lanes();
        let blocks = outputs.div_ceil(lanes);
        let mut packed = Vec::with_capacity(blocks * lanes * taps * inner);
        for first in (0..blocks).step_by(PAIR) {
            let width = PAIR.min(blocks - first) * lanes;
            for tap in 0..taps {
                for i in 0..inner {
                    packed.extend((0..width).map(|lane| {
                        let output = first * lanes + lane;
                        if output < outputs {
                            weight(output, tap, i)
                        } else {
                            0.0
                        }
                    }));
                }
            }
        }
        let bias = |output| if output < outputs { bias(output) } else { 0.0 };
        let bias: Vec<f32> = (0..blocks * lanes).map(bias).collect();
        Self {
            packed: Buffer::of(&packed),
            bias: Buffer::of(&bias),
            taps,
            inner,
            blocks,
            lanes,
        }
    }

    /// Blocks of output channels.
    pub const fn blocks(&self) -> usize {
        self.blocks
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
pub struct ConvRow<'a> {
    /// Begins where the first tap of the first output reads.
    pub input: &'a [f32],
    /// Where each tap reads, relative to the first one.
    pub taps: &'a [usize],
    /// Numbers from what one output reads to what the next one does.
    pub step: usize,
    /// Those of all blocks of the convolution.
    pub weights: &'a Weights,
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
pub fn conv_row(isa: Isa, row: ConvRow<'_>) {
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
            && farthest + (row.width - 1) * row.step + weights.inner <= row.input.len()
            && (blocks - 1) * row.out_block + row.width * lanes <= row.out.len()
            && row.add.is_none_or(|add| {
                (blocks - 1) * add.block + row.width * lanes <= add.values.len()
            }),
        "a row beyond its slices"
    );
    let each = row.taps.len() * weights.inner * lanes;
    let mut first = row.blocks.start;
    while first < row.blocks.end {
        let pair = first / PAIR * PAIR;
        // One of a pair may belong to somebody else.
        let both = first == pair && first + 1 < row.blocks.end;
        let at = first - row.blocks.start;
        let single = pair + 1 == weights.blocks;
        let packed = &weights.packed.as_slice()[pair * each + (first - pair) * lanes..];
        let tiles = Tiles {
            input: row.input.as_ptr(),
            taps: row.taps,
            inner: weights.inner,
            weights: packed.as_ptr(),
            weight_step: if single { lanes } else { PAIR * lanes },
            bias: weights.bias.as_slice()[first * lanes..].as_ptr(),
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
struct Tiles<'a> {
    input: *const f32,
    taps: &'a [usize],
    inner: usize,
    weights: *const f32,
    weight_step: usize,
    bias: *const f32,
    acts: [Act; PAIR],
    add: Option<(*const f32, usize)>,
    out: *mut f32,
    out_block: usize,
    count: usize,
}

impl Tiles<'_> {
    /// A whole row, the largest tiles first.
    unsafe fn row<const Q: usize>(self, isa: Isa, step: usize, width: usize) {
        let mut rest = self;
        let mut left = width;
        for pixels in SIZES.into_iter().filter(|&pixels| pixels <= isa.tile()) {
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
                3 => isa.run(Tile::<Q, P, 3>(self)),
                6 => isa.run(Tile::<Q, P, 6>(self)),
                8 => isa.run(Tile::<Q, P, 8>(self)),
                16 => isa.run(Tile::<Q, P, 16>(self)),
                32 => isa.run(Tile::<Q, P, 32>(self)),
                _ => unreachable!("pixels {step} numbers apart"),
            }
        }
    }
}

/// Pixels P, blocks Q, STEP numbers from one pixel to the next.
struct Tile<'a, const Q: usize, const P: usize, const STEP: usize>(Tiles<'a>);

impl<const Q: usize, const P: usize, const STEP: usize> Kernel for Tile<'_, Q, P, STEP> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut tiles = self.0;
        // Never asked for: not worth compiling.
        if P > S::TILE || (STEP > 6 && STEP != S::LANES && STEP != 2 * S::LANES) {
            return;
        }
        for _ in 0..tiles.count {
            unsafe {
                let sums = tiles.sums::<S, Q, P, STEP>();
                tiles.store(&sums);
            }
            tiles.input = tiles.input.wrapping_add(P * STEP);
            tiles.out = tiles.out.wrapping_add(P * S::LANES);
            let next = |(add, block): (*const f32, usize)| (add.wrapping_add(P * S::LANES), block);
            tiles.add = tiles.add.map(next);
        }
    }
}

impl Tiles<'_> {
    #[inline(always)]
    unsafe fn sums<S: Simd, const Q: usize, const P: usize, const STEP: usize>(
        &self,
    ) -> [[S; Q]; P] {
        unsafe {
            let bias: [S; Q] = std::array::from_fn(|q| S::load(self.bias.add(q * S::LANES)));
            let mut sums = [bias; P];
            let mut weights = self.weights;
            for &tap in self.taps {
                let from = self.input.add(tap);
                for i in 0..self.inner {
                    let own: [S; Q] = std::array::from_fn(|q| S::load(weights.add(q * S::LANES)));
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let x = S::splat(*from.add(p * STEP + i));
                        for (sum, own) in sums.iter_mut().zip(own) {
                            *sum = x.mul_add(own, *sum);
                        }
                    }
                    weights = weights.add(self.weight_step);
                }
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn store<S: Simd, const Q: usize, const P: usize>(&self, sums: &[[S; Q]; P]) {
        for q in 0..Q {
            for (p, sums) in sums.iter().enumerate() {
                unsafe {
                    let mut sum = sums[q];
                    if let Some((add, block)) = self.add {
                        sum = sum.add(S::load(add.add(q * block + p * S::LANES)));
                    }
                    let out = self.out.add(q * self.out_block + p * S::LANES);
                    sum.act(self.acts[q]).store(out);
                }
            }
        }
    }
}
