//! What an executor does, one thing after the other.

mod conv;
mod depthwise;
mod heads;
mod image;
mod linear;
mod maps;
mod pool;
mod windows;
mod winograd;

use std::ops::Range;
use std::sync::Mutex;

use super::kernels::{Buffer, Isa};
use super::layout::Map;
use super::{Images, Windows, lock};
use crate::parallel::{join, threads};

pub use conv::{Dense, DirectConv, Output, Upsample};
pub use depthwise::{Depthwise, DepthwiseConv, DepthwisePointwise};
pub use heads::{CopyRows, Head, Heads, SoftmaxRows};
pub use image::{Normalise, Stem, StemStep};
pub use linear::{LinearStep, LinearWeights};
pub use maps::{ActStep, AddStep, CopyStep, MaskStep, PReluStep, PlacesStep, ScaleStep};
pub use pool::{MaxPoolStep, MeanStep};
pub use windows::GatherStep;
pub use winograd::{WinogradConv, WinogradWeights};

/// One thing.
pub trait Step: std::fmt::Debug + Send + Sync {
    /// Do it.
    fn run(&self, run: &mut Run<'_>);

    /// Buffers that it reads.
    fn reads(&self) -> Vec<usize>;

    /// Buffers that it writes.
    fn writes(&self) -> Vec<usize>;

    /// Numbers of working memory that each thread needs, for at most so many images.
    fn scratch(&self, _images: usize) -> usize {
        0
    }
}

/// Everything that a step works on.
#[derive(Debug)]
pub struct Run<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// How many images there are.
    pub count: usize,
    /// What the network sees.
    pub images: Images<'a>,
    /// Where windows were cut out, if they were.
    pub windows: Option<Windows<'a>>,
    /// Memory of the plan's slots.
    pub slots: &'a mut [Buffer],
    /// Slot of each buffer.
    pub slot_of: &'a [usize],
    /// Working memory of each thread.
    pub scratch: Lender<'a>,
}

/// Lends working memory of the length that a plan needs.
#[derive(Clone, Copy, Debug)]
pub struct Lender<'a> {
    /// Where it comes from.
    pub scratch: &'a Scratch,
    /// Numbers.
    pub len: usize,
}

impl Lender<'_> {
    /// Lend one.
    pub fn with<R>(&self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        self.scratch.with(self.len, work)
    }
}

impl Run<'_> {
    /// What a buffer holds.
    pub fn buffer(&self, buffer: usize) -> &[f32] {
        self.slots[self.slot_of[buffer]].as_slice()
    }

    /// Take a buffer out to write it; [`Run::put`] it back.
    pub fn take(&mut self, buffer: usize) -> Buffer {
        std::mem::take(&mut self.slots[self.slot_of[buffer]])
    }

    /// Put a buffer back.
    pub fn put(&mut self, buffer: usize, memory: Buffer) {
        self.slots[self.slot_of[buffer]] = memory;
    }
}

/// Working memory that threads take and give back.
#[derive(Debug, Default)]
pub struct Scratch {
    free: Mutex<Vec<Buffer>>,
}

impl Scratch {
    /// Lend one of at least `len` numbers; a new one only when more threads than ever before want
    /// one.
    pub fn with<R>(&self, len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
        let lent = lock(&self.free).pop();
        let mut lent = lent.unwrap_or_default();
        lent.reserve(len);
        let result = work(lent.as_mut_slice());
        lock(&self.free).push(lent);
        result
    }
}

/// Rows of maps shared out in strips that threads work on: strip by strip of image after image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strips {
    height: usize,
    rows: usize,
}

/// Multiply-adds that are worth another thread.
const WORTH_A_THREAD: usize = 100_000;

impl Strips {
    /// Strips of a multiple of `unit` rows of a map of `height`, each of which costs `row`
    /// multiply-adds: few enough to be worth a thread.
    pub fn new(height: usize, unit: usize, row: usize) -> Self {
        let worth = WORTH_A_THREAD.div_ceil(row.max(1));
        Self {
            height,
            rows: worth.next_multiple_of(unit.max(1)),
        }
    }

    /// Most rows of a strip.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    const fn each(&self) -> usize {
        self.height.div_ceil(self.rows)
    }

    /// Image and rows of a strip.
    fn of(&self, strip: usize) -> (usize, Range<usize>) {
        let first = strip % self.each() * self.rows;
        let past = (first + self.rows).min(self.height);
        (strip / self.each(), first..past)
    }

    /// Numbers before a strip in the buffer of `map`, borders of finished images included.
    fn before(&self, strip: usize, map: &Map) -> usize {
        let (image, rows) = self.of(strip);
        let border = if rows.start == 0 { 0 } else { map.pad };
        image * map.image() + (border + rows.start) * map.row()
    }

    /// Call `work` for each strip of `count` images with its part of each of the buffers and the
    /// thread's working memory, in parallel where that pays.
    pub fn run<const N: usize>(
        &self,
        count: usize,
        scratch: Lender<'_>,
        buffers: [(&mut [f32], &Map); N],
        work: &(impl Fn(Strip, [&mut [f32]; N], &mut [f32]) + Sync),
    ) {
        let maps = buffers.each_ref().map(|(_, map)| **map);
        let slices = buffers.map(|(slice, _)| slice);
        let all = 0..count * self.each();
        self.split(all, scratch, &maps, slices, work);
    }

    fn split<const N: usize>(
        &self,
        strips: Range<usize>,
        scratch: Lender<'_>,
        maps: &[Map; N],
        slices: [&mut [f32]; N],
        work: &(impl Fn(Strip, [&mut [f32]; N], &mut [f32]) + Sync),
    ) {
        if strips.len() <= 1 || threads() == 1 {
            scratch.with(|scratch| self.in_order(strips, maps, slices, scratch, work));
            return;
        }
        let middle = strips.start + strips.len() / 2;
        let (left, right) = self.cut(strips.start, middle, maps, slices);
        join(
            || self.split(strips.start..middle, scratch, maps, left, work),
            || self.split(middle..strips.end, scratch, maps, right, work),
        );
    }

    fn cut<'a, const N: usize>(
        &self,
        start: usize,
        at: usize,
        maps: &[Map; N],
        slices: [&'a mut [f32]; N],
    ) -> ([&'a mut [f32]; N], [&'a mut [f32]; N]) {
        let mut right: [&mut [f32]; N] = std::array::from_fn(|_| &mut [][..]);
        let mut index = 0;
        let left = slices.map(|slice| {
            let map = &maps[index];
            let (left, rest) = slice.split_at_mut(self.before(at, map) - self.before(start, map));
            right[index] = rest;
            index += 1;
            left
        });
        (left, right)
    }

    fn in_order<const N: usize>(
        &self,
        strips: Range<usize>,
        maps: &[Map; N],
        mut slices: [&mut [f32]; N],
        scratch: &mut [f32],
        work: &impl Fn(Strip, [&mut [f32]; N], &mut [f32]),
    ) {
        for strip in strips {
            let (own, rest) = self.cut(strip, strip + 1, maps, slices);
            slices = rest;
            let (image, rows) = self.of(strip);
            let ends = rows.end == self.height;
            work(Strip { image, rows, ends }, own, scratch);
        }
    }
}

/// Some rows of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// Which image.
    pub image: usize,
    /// Which rows.
    pub rows: Range<usize>,
    /// Whether they are the last ones.
    pub ends: bool,
}

impl Strip {
    /// Where row `y` with its border begins in the strip's part of a map's buffer.
    pub const fn at_row(&self, map: &Map, y: usize) -> usize {
        let border = if self.rows.start == 0 { map.pad } else { 0 };
        (border + y - self.rows.start) * map.row()
    }

    /// Zeros around what the strip has of the map's blocks.
    pub fn clear_border(&self, map: &Map, part: &mut [f32]) {
        if map.pad == 0 {
            return;
        }
        let own = map.first_block * map.block()..(map.first_block + map.blocks()) * map.block();
        if self.rows.start == 0 {
            for row in part.chunks_exact_mut(map.row()).take(map.pad) {
                row[own.clone()].fill(0.0);
            }
        }
        if self.ends {
            for row in part.rchunks_exact_mut(map.row()).take(map.pad) {
                row[own.clone()].fill(0.0);
            }
        }
        for y in self.rows.clone() {
            let row = self.at_row(map, y);
            for block in part[row..row + map.row()][own.clone()].chunks_exact_mut(map.block()) {
                let side = map.pad * map.lanes;
                block[..side].fill(0.0);
                block[map.block() - side..].fill(0.0);
            }
        }
    }
}
