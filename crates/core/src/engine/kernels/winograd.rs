//! 3x3 convolutions by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, 2015,
//! arXiv:1509.09308): 36 products for 16 outputs where the definition has 144.
//!
//! Tiles of 6x6 inputs become 36 numbers each (`V = B' d B`), which are matrix products with the
//! transformed weights (`U = G g G'`) over the channels away from 36 numbers `M`, whose transform
//! (`A' M A`) is 4x4 outputs.

use super::buffer::Buffer;
use super::conv::{ConvRow, Weights, conv_row};
use super::element::Numbers;
use super::simd::Simd;
use super::{Isa, Kernel};
use crate::net::Act;

/// Outputs of a tile, each way.
pub const OUT: usize = 4;

/// Most blocks of input channels.
pub const MOST_BLOCKS: usize = 256;

/// Inputs of a tile, each way.
const IN: usize = 6;

/// Numbers of a transformed tile.
const NUMBERS: usize = IN * IN;

/// Interpolation at 0, 1, -1, 2, -2, infinity.
const G: [[f64; 3]; IN] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// `G g G'` of a kernel `g`, row by row.
fn transformed(kernel: [[f32; 3]; 3]) -> [f32; NUMBERS] {
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let kernel = kernel.map(|row| row.map(f64::from));
    let half = kernel.map(|row| G.map(|g| dot(g, row))); // [3][6]
    std::array::from_fn(|at| dot(G[at / IN], half.map(|row| row[at % IN])) as f32)
}

/// The weights of the 36 products, and zeros for their biases: from `weight(output, input, y, x)`.
pub fn winograd_weights(
    isa: Isa,
    [outputs, inputs]: [usize; 2],
    weight: impl Fn(usize, usize, usize, usize) -> f32,
) -> Vec<Weights<Numbers>> {
    let kernels: Vec<[f32; NUMBERS]> = (0..outputs * inputs)
        .map(|i| {
            let number = |y, x| weight(i / inputs, i % inputs, y, x);
            transformed([0, 1, 2].map(|y| [0, 1, 2].map(|x| number(y, x))))
        })
        .collect();
    let lanes = isa.lanes();
    let product = |at: usize| {
        let number = |output: usize, block: usize, lane: usize| {
            let input = block * lanes + lane;
            let known = input < inputs;
            if known {
                kernels[output * inputs + input][at]
            } else {
                0.0
            }
        };
        Weights::<Numbers>::pack(
            isa,
            [outputs, inputs.div_ceil(lanes), lanes],
            number,
            |_| 0.0,
        )
    };
    (0..NUMBERS).map(product).collect()
}

/// Some rows of tiles of an image.
#[derive(Debug)]
pub struct Winograd<'a> {
    /// A whole image: `[row][block][column][lane]` with a border of `pad` zeros; begins at the first
    /// of its blocks.
    pub input: &'a [f32],
    /// Numbers from one row to the next.
    pub row: usize,
    /// Height and width without the border.
    pub size: [usize; 2],
    /// Border of the input.
    pub pad: usize,
    /// Blocks of input channels.
    pub in_blocks: usize,
    /// Of the 36 products.
    pub weights: &'a [Weights<Numbers>],
    /// `[block][lane]`.
    pub bias: &'a Buffer,
    /// Of each output block.
    pub acts: &'a [Act],
    /// Begins at the first row of tiles, in rows of outputs.
    pub first: usize,
    /// Rows of outputs.
    pub rows: usize,
}

/// Where the outputs of some blocks go: from the first row of the tiles on.
#[derive(Debug)]
pub struct Target<'a> {
    /// `[row][block][column][lane]`.
    pub values: &'a mut [f32],
    /// Numbers from one row to the next.
    pub row: usize,
    /// Numbers from one block to the next.
    pub block: usize,
    /// Where the first pixel of the first of the blocks is.
    pub offset: usize,
    /// Past the last of the convolution's blocks that go here.
    pub end: usize,
}

impl Winograd<'_> {
    /// Numbers of working memory for `tiles` tiles.
    pub fn scratch(lanes: usize, in_blocks: usize, tiles: usize) -> usize {
        NUMBERS * tiles * (in_blocks + 2) * lanes
    }

    fn tiles_across(&self) -> usize {
        self.size[1].div_ceil(OUT)
    }

    /// Compute the rows; the targets share out the blocks in order.
    pub fn run(&self, isa: Isa, scratch: &mut [f32], targets: &mut [Target<'_>]) {
        let lanes = isa.lanes();
        let tiles = self.rows.div_ceil(OUT) * self.tiles_across();
        let each = tiles * lanes;
        let (v, rest) = scratch.split_at_mut(NUMBERS * self.in_blocks * each);
        self.transform_input(isa, tiles, v);
        let taps: [usize; MOST_BLOCKS] = std::array::from_fn(|block| block * each);
        let none = [Act::None; MOST_BLOCKS];
        let mut start = 0;
        for target in targets {
            let mut first = start;
            while first < target.end {
                // Weights are packed in pairs of blocks.
                let past = (first / 2 * 2 + 2).min(target.end);
                let m = &mut rest[..NUMBERS * 2 * each];
                for (at, weights) in self.weights.iter().enumerate() {
                    let row = ConvRow {
                        input: &v[at * self.in_blocks * each..],
                        taps: &taps[..self.in_blocks],
                        step: lanes,
                        weights,
                        blocks: first..past,
                        acts: &none,
                        add: None,
                        out: &mut m[at * 2 * each..],
                        out_block: each,
                        width: tiles,
                    };
                    conv_row(isa, row);
                }
                for block in first..past {
                    let from = &m[(block - first) * each..];
                    self.transform_output(isa, from, 2 * each, block, start, target);
                }
                first = past;
            }
            start = target.end;
        }
    }

    fn transform_input(&self, isa: Isa, tiles: usize, v: &mut [f32]) {
        let lanes = isa.lanes();
        let across = self.tiles_across();
        let column = (self.size[1] + 2 * self.pad) * lanes;
        let rows = self.size[0] + 2 * self.pad;
        let last = (rows - 1) * self.row + self.in_blocks * column;
        assert!(self.input.len() >= last, "an image beyond its slice");
        assert!(self.pad > 0 && v.len() >= NUMBERS * self.in_blocks * tiles * lanes);
        for tile in 0..tiles {
            let y = self.first + tile / across * OUT + self.pad - 1;
            let x = tile % across * OUT + self.pad - 1;
            let inside = [
                IN.min(rows.saturating_sub(y)),
                IN.min((self.size[1] + 2 * self.pad).saturating_sub(x)),
            ];
            for block in 0..self.in_blocks {
                let out = (block * tiles + tile) * lanes;
                let from = (y * self.row + block * column + x * lanes).min(self.input.len());
                // Within the image as far as `inside` says, and within V.
                unsafe {
                    isa.run(InputTile {
                        from: self.input[from..].as_ptr(),
                        row: self.row,
                        inside,
                        to: v[out..].as_mut_ptr(),
                        step: self.in_blocks * tiles * lanes,
                    });
                }
            }
        }
    }

    fn transform_output(
        &self,
        isa: Isa,
        m: &[f32],
        step: usize,
        block: usize,
        start: usize,
        target: &mut Target<'_>,
    ) {
        let lanes = isa.lanes();
        let across = self.tiles_across();
        let tiles = self.rows.div_ceil(OUT) * across;
        let base = target.offset + (block - start) * target.block;
        let last = base + (self.rows - 1) * target.row + self.size[1] * lanes;
        assert!(
            target.values.len() >= last && m.len() >= (NUMBERS - 1) * step + tiles * lanes,
            "rows beyond their slices"
        );
        for tile in 0..tiles {
            let (y, x) = (tile / across * OUT, tile % across * OUT);
            // Within the rows and columns as far as `inside` says.
            unsafe {
                isa.run(OutputTile {
                    from: m[tile * lanes..].as_ptr(),
                    step,
                    bias: self.bias.as_slice()[block * lanes..].as_ptr(),
                    act: self.acts[block],
                    to: target.values[base + y * target.row + x * lanes..].as_mut_ptr(),
                    row: target.row,
                    inside: [OUT.min(self.rows - y), OUT.min(self.size[1] - x)],
                });
            }
        }
    }
}

struct InputTile {
    from: *const f32,
    row: usize,
    inside: [usize; 2],
    to: *mut f32,
    step: usize,
}

/// `B' d`.
#[inline(always)]
unsafe fn input_line<S: Simd>(d: [S; IN]) -> [S; IN] {
    unsafe {
        let times = |x: S, k: f32, plus: S| x.mul_add(S::splat(k), plus);
        let (a, b) = (times(d[2], -4.0, d[4]), times(d[1], -4.0, d[3]));
        let (c, e) = (d[4].sub(d[2]), d[3].sub(d[1]));
        [
            times(d[0], 4.0, times(d[2], -5.0, d[4])),
            a.add(b),
            a.sub(b),
            times(e, 2.0, c),
            times(e, -2.0, c),
            times(d[1], 4.0, times(d[3], -5.0, d[5])),
        ]
    }
}

impl Kernel for InputTile {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        unsafe {
            let zero = S::splat(0.0);
            let mut half = [[zero; IN]; IN];
            let [height, width] = self.inside;
            let whole = height == IN && width == IN;
            for (x, half) in half.iter_mut().enumerate() {
                let mut d = [zero; IN];
                for (y, d) in d.iter_mut().enumerate() {
                    if whole || (y < height && x < width) {
                        *d = S::load(self.from.add(y * self.row + x * S::LANES));
                    }
                }
                *half = input_line(d);
            }
            for y in 0..IN {
                for (x, v) in input_line(half.map(|line| line[y])).into_iter().enumerate() {
                    v.store(self.to.add((y * IN + x) * self.step));
                }
            }
        }
    }
}

struct OutputTile {
    from: *const f32,
    step: usize,
    bias: *const f32,
    act: Act,
    to: *mut f32,
    row: usize,
    inside: [usize; 2],
}

/// `A' m`.
#[inline(always)]
unsafe fn output_line<S: Simd>(m: [S; IN]) -> [S; OUT] {
    unsafe {
        let times = |x: S, k: f32, plus: S| x.mul_add(S::splat(k), plus);
        let (a, b) = (m[1].add(m[2]), m[1].sub(m[2]));
        let (c, d) = (m[3].add(m[4]), m[3].sub(m[4]));
        [
            m[0].add(a).add(c),
            times(d, 2.0, b),
            times(c, 4.0, a),
            times(d, 8.0, b).add(m[5]),
        ]
    }
}

impl Kernel for OutputTile {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        unsafe {
            let mut half = [[S::splat(0.0); OUT]; IN];
            for (x, half) in half.iter_mut().enumerate() {
                let mut m = [S::splat(0.0); IN];
                for (y, m) in m.iter_mut().enumerate() {
                    *m = S::load(self.from.add((y * IN + x) * self.step));
                }
                *half = output_line(m);
            }
            let bias = S::load(self.bias);
            for y in 0..self.inside[0] {
                let line = output_line(half.map(|line| line[y]));
                for (x, out) in line.into_iter().enumerate().take(self.inside[1]) {
                    let to = self.to.add(y * self.row + x * S::LANES);
                    out.add(bias).act(self.act).store(to);
                }
            }
        }
    }
}
