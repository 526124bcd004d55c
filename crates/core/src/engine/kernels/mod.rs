//! The inner loops, on slices of blocked values.
//!
//! A value is stored in blocks of [`Isa::lanes`] channels: `[row][block][column][lane]`, with a
//! border of zeros around where a convolution reads one. Functions here check the lengths of their
//! slices once for a row of outputs; the loops below do not, which is what the `unsafe` code of this
//! module is about: vector loads and stores through pointers, and calls of functions for an
//! instruction set that [`Isa`] has found on this processor.
#![allow(unsafe_code)]

mod buffer;
mod conv;
mod depthwise;
mod linear;
mod maps;
mod places;
mod simd;
mod winograd;

use simd::{Portable, Simd};

pub use buffer::Buffer;
pub use conv::{Add, ConvRow, Weights, conv_row};
pub use depthwise::{DepthwiseRow, depthwise_row};
pub use linear::linear;
pub use maps::{act_row, add_row, max_pool_row, mean_rows, prelu_row, scale_row, upsample_add_row};
pub use places::expected_places;
pub use winograd::{
    MOST_BLOCKS as WINOGRAD_BLOCKS, OUT as WINOGRAD_OUT, Target, Winograd, winograd_weights,
};

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Isa {
    /// All of this processor, the best first; at least the portable one.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                all.push(Self(Kind::Avx512));
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(Kind::Avx2));
            }
        }
        #[cfg(target_arch = "aarch64")]
        all.push(Self(Kind::Neon));
        all.push(Self(Kind::Portable));
        all
    }

    /// The best one.
    pub fn best() -> Self {
        Self::all()[0]
    }

    /// `avx512`, `avx2`, `neon` or `portable`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            Kind::Portable => "portable",
        }
    }

    /// Channels in a block.
    pub const fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            _ => 8,
        }
    }

    /// Most pixels of a tile of outputs.
    const fn tile(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => simd::F32x16::TILE,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => simd::F32x8::TILE,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => simd::F32x4x2::TILE,
            Kind::Portable => Portable::TILE,
        }
    }

    /// Run `kernel` with the vectors of this instruction set.
    ///
    /// # Safety
    /// As the kernel's own.
    #[inline]
    unsafe fn run<K: Kernel>(self, kernel: K) {
        // The processor has what a value of this type stands for.
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => run_avx512(kernel),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => run_avx2(kernel),
                #[cfg(target_arch = "aarch64")]
                Kind::Neon => kernel.run::<simd::F32x4x2>(),
                Kind::Portable => kernel.run::<Portable>(),
            }
        }
    }
}

/// A loop that is compiled for every instruction set.
trait Kernel {
    /// `#[inline(always)]`, like everything that it calls.
    unsafe fn run<S: Simd>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn run_avx512<K: Kernel>(kernel: K) {
    unsafe { kernel.run::<simd::F32x16>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) {
    unsafe { kernel.run::<simd::F32x8>() }
}
