//! Sums of products of bytes, one type for each instruction set.
//!
//! As with [`super::simd`], a method must only be called from functions that switch the instruction
//! set on.

#[cfg(target_arch = "aarch64")]
mod arm;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::simd::{self, Simd};

#[cfg(target_arch = "aarch64")]
pub use arm::{Neon, NeonDot};
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx2Vnni, Avx512, Avx512Vnni};

/// Inputs that are multiplied and summed in one go.
pub const GROUP: usize = 4;

/// A vector of sums in 32 bits, one for each output channel of a block. None of the methods rounds
/// or saturates: every instruction set gives the same integers.
pub trait Dot: Copy {
    /// What the sums become.
    type Floats: Simd;

    /// [`GROUP`] inputs of a pixel, for all outputs.
    type Pixel: Copy;

    /// Weights of as many inputs, for each output.
    type Weights: Copy;

    /// Pixels of a tile whose sums fit in the registers, with two blocks of outputs each.
    const TILE: usize;

    /// What the products take off each input, because the instructions want signed ones.
    const OFFSET: i32;

    /// From memory, which need not be aligned.
    unsafe fn load(from: *const i32) -> Self;

    /// [`GROUP`] bytes.
    unsafe fn pixel(from: *const u8) -> Self::Pixel;

    /// [`GROUP`] bytes of the first output, then those of the next one.
    unsafe fn weights(from: *const i8) -> Self::Weights;

    /// `self + sum of (pixel - OFFSET) * weights`.
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self;

    /// The nearest floating-point numbers.
    unsafe fn floats(self) -> Self::Floats;
}

/// Sums that any processor can compute.
#[derive(Clone, Copy)]
pub struct Portable([i32; 8]);

impl Dot for Portable {
    type Floats = simd::Portable;
    type Pixel = [u8; GROUP];
    type Weights = [[i8; GROUP]; 8];

    const TILE: usize = 4;
    const OFFSET: i32 = 0;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        Self(unsafe { from.cast::<[i32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn pixel(from: *const u8) -> Self::Pixel {
        unsafe { from.cast::<Self::Pixel>().read() }
    }

    #[inline(always)]
    unsafe fn weights(from: *const i8) -> Self::Weights {
        unsafe { from.cast::<Self::Weights>().read() }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self {
        let product = |lane: usize| {
            let pairs = pixel.iter().zip(weights[lane]);
            pairs
                .map(|(&x, w)| i32::from(x) * i32::from(w))
                .sum::<i32>()
        };
        Self(std::array::from_fn(|lane| self.0[lane] + product(lane)))
    }

    #[inline(always)]
    unsafe fn floats(self) -> simd::Portable {
        simd::Portable(self.0.map(|sum| sum as f32))
    }
}
