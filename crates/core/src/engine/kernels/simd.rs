//! Vectors of numbers, one type for each instruction set.
//!
//! Everything here is inlined into functions that switch the instruction set on ([`super::Isa`]);
//! on its own a method must not be called.

use crate::net::Act;

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
pub struct Portable([f32; 8]);

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

#[cfg(target_arch = "x86_64")]
pub use x86::{F32x8, F32x16};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Simd;

    /// AVX2 with FMA.
    #[derive(Clone, Copy)]
    pub struct F32x8(__m256);

    impl Simd for F32x8 {
        const LANES: usize = 8;
        const TILE: usize = 6;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, by.0, plus.0) })
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn scale_by_power(self, n: Self) -> Self {
            unsafe {
                let n = _mm256_add_epi32(_mm256_cvtps_epi32(n.0), _mm256_set1_epi32(127));
                let power = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(n));
                Self(_mm256_mul_ps(self.0, power))
            }
        }

        #[inline(always)]
        unsafe fn round(self) -> Self {
            const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
            Self(unsafe { _mm256_round_ps::<NEAREST>(self.0) })
        }
    }

    /// AVX-512.
    #[derive(Clone, Copy)]
    pub struct F32x16(__m512);

    impl Simd for F32x16 {
        const LANES: usize = 16;
        const TILE: usize = 14;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, by.0, plus.0) })
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm512_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm512_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(unsafe { _mm512_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(unsafe { _mm512_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(unsafe { _mm512_min_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn scale_by_power(self, n: Self) -> Self {
            Self(unsafe { _mm512_scalef_ps(self.0, n.0) })
        }

        #[inline(always)]
        unsafe fn round(self) -> Self {
            Self(unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT }>(self.0) })
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub use arm::F32x4x2;

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::Simd;

    /// Two NEON registers.
    #[derive(Clone, Copy)]
    pub struct F32x4x2(float32x4_t, float32x4_t);

    macro_rules! both {
        ($f:ident, $($x:expr),+) => {
            unsafe { Self($f($($x.0),+), $f($($x.1),+)) }
        };
    }

    impl Simd for F32x4x2 {
        const LANES: usize = 8;
        const TILE: usize = 6;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { Self(vdupq_n_f32(value), vdupq_n_f32(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Self(vld1q_f32(from), vld1q_f32(from.add(4))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe {
                vst1q_f32(to, self.0);
                vst1q_f32(to.add(4), self.1);
            }
        }

        #[inline(always)]
        unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
            both!(vfmaq_f32, plus, self, by)
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            both!(vaddq_f32, self, other)
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            both!(vsubq_f32, self, other)
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            both!(vmulq_f32, self, other)
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            both!(vdivq_f32, self, other)
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            both!(vmaxq_f32, self, other)
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            both!(vminq_f32, self, other)
        }

        #[inline(always)]
        unsafe fn scale_by_power(self, n: Self) -> Self {
            unsafe {
                let power = |n| {
                    let n = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
                    vreinterpretq_f32_s32(vshlq_n_s32::<23>(n))
                };
                self.mul(Self(power(n.0), power(n.1)))
            }
        }

        #[inline(always)]
        unsafe fn round(self) -> Self {
            both!(vrndnq_f32, self)
        }
    }
}
