//! Vectors of numbers, one type for each instruction set.
//!
//! Everything here is inlined into functions that switch the instruction set on ([`super::Isa`]);
//! on its own a method must not be called.

#[cfg(target_arch = "aarch64")]
mod arm;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::net::Act;

#[cfg(target_arch = "aarch64")]
pub use arm::F32x4x2;
#[cfg(target_arch = "x86_64")]
pub use x86::{F32x8, F32x16};

/// A vector of [`Simd::LANES`] `f32`.
pub trait Simd: Copy {
    /// Numbers in a vector.
    const LANES: usize;

    /// Vectors of a tile of outputs that fit in the registers, beside two of weights.
    const TILE: usize;

    /// All the same.
    unsafe fn splat(value: f32) -> Self;

    /// From memory, which need not be aligned.
    unsafe fn load(from: *const f32) -> Self;

    /// To memory, which need not be aligned.
    unsafe fn store(self, to: *mut f32);

    /// Whole numbers from 0 to 255, one byte each.
    unsafe fn store_bytes(self, to: *mut u8);

    /// `self * by + plus`, rounded once where the processor can.
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self;

    unsafe fn add(self, other: Self) -> Self;

    unsafe fn sub(self, other: Self) -> Self;

    unsafe fn mul(self, other: Self) -> Self;

    unsafe fn div(self, other: Self) -> Self;

    unsafe fn max(self, other: Self) -> Self;

    unsafe fn min(self, other: Self) -> Self;

    /// `self * 2^n` for whole numbers `n` from -126 to 127.
    unsafe fn scale_by_power(self, n: Self) -> Self;

    /// The nearest whole numbers.
    unsafe fn round(self) -> Self;

    /// `e^self`, relative error below 3e-7; 0 below -87, and as of 88 above that.
    #[inline(always)]
    unsafe fn exp(self) -> Self {
        // Cody and Waite: x = n ln 2 + r, |r| <= ln 2 / 2, then a polynomial (Cephes expf).
        const POLYNOMIAL: [f32; 6] = [
            1.987_569_1e-4,
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_5e-2,
            1.666_666_5e-1,
            5.000_000_3e-1,
        ];
        unsafe {
            let x = self.max(Self::splat(-87.0)).min(Self::splat(88.0));
            let n = x.mul(Self::splat(std::f32::consts::LOG2_E)).round();
            let r = n.mul_add(Self::splat(-0.693_359_4), x);
            let r = n.mul_add(Self::splat(2.121_944_4e-4), r);
            let mut p = Self::splat(POLYNOMIAL[0]);
            for &c in &POLYNOMIAL[1..] {
                p = p.mul_add(r, Self::splat(c));
            }
            let p = p.mul_add(r.mul(r), r).add(Self::splat(1.0));
            // 2^128 has no representation.
            let half = n.mul(Self::splat(0.5)).round();
            p.scale_by_power(half).scale_by_power(n.sub(half))
        }
    }

    /// An activation.
    #[inline(always)]
    unsafe fn act(self, act: Act) -> Self {
        unsafe {
            match act {
                Act::None => self,
                Act::Leaky(slope) => self.max(self.mul(Self::splat(slope))),
                Act::Clip { low, high } => self.max(Self::splat(low)).min(Self::splat(high)),
                Act::HardSigmoid => self.hard_sigmoid(),
                Act::HardSwish => self.mul(self.hard_sigmoid()),
                Act::Sigmoid { scale } => {
                    let e = Self::splat(0.0).sub(self).exp();
                    Self::splat(scale).div(Self::splat(1.0).add(e))
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn hard_sigmoid(self) -> Self {
        unsafe {
            let x = self.mul_add(Self::splat(1.0 / 6.0), Self::splat(0.5));
            x.max(Self::splat(0.0)).min(Self::splat(1.0))
        }
    }
}

/// Eight numbers that any processor can compute with.
#[derive(Clone, Copy)]
pub struct Portable(pub(super) [f32; 8]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Simd for Portable {
    const LANES: usize = 8;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        unsafe {
            to.cast::<[u8; 8]>()
                .write_unaligned(self.0.map(|x| x as u8))
        }
    }

    // Not `f32::mul_add`, which is a call to a library where the processor has no such instruction.
    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        self.zip(by, |a, b| a * b).zip(plus, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn scale_by_power(self, n: Self) -> Self {
        self.zip(n, |x, n| {
            x * f32::from_bits(((n as i32 + 127) << 23) as u32)
        })
    }

    #[inline(always)]
    unsafe fn round(self) -> Self {
        Self(self.0.map(f32::round_ties_even))
    }
}
