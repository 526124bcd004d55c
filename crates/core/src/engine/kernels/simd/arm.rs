//! NEON.

use std::arch::aarch64::*;

use super::Simd;

/// Two NEON registers.
#[derive(Clone, Copy)]
pub struct F32x4x2(
    pub(in super::super) float32x4_t,
    pub(in super::super) float32x4_t,
);

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
    unsafe fn store_bytes(self, to: *mut u8) {
        unsafe {
            let words = [self.0, self.1].map(|half| vqmovn_u32(vcvtq_u32_f32(half)));
            vst1_u8(to, vqmovn_u16(vcombine_u16(words[0], words[1])));
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
