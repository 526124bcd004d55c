//! NEON, with and without instructions for products of bytes: both want signed ones.

use std::arch::aarch64::*;
use std::arch::asm;

use super::Dot;
use crate::engine::kernels::simd::F32x4x2;

/// Four bytes for all lanes, 128 taken off each.
#[inline(always)]
unsafe fn signed(from: *const u8) -> int8x16_t {
    unsafe {
        let four = from.cast::<u32>().read_unaligned();
        vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x8080_8080))
    }
}

/// Sums of one kind of NEON: how four products are added to each of four sums.
macro_rules! sums {
    ($(#[$doc:meta])* $name:ident, $tile:literal, $add:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(int32x4_t, int32x4_t);

        impl Dot for $name {
            type Floats = F32x4x2;
            type Pixel = int8x16_t;
            type Weights = (int8x16_t, int8x16_t);

            const TILE: usize = $tile;
            const OFFSET: i32 = 128;

            #[inline(always)]
            unsafe fn load(from: *const i32) -> Self {
                unsafe { Self(vld1q_s32(from), vld1q_s32(from.add(4))) }
            }

            #[inline(always)]
            unsafe fn pixel(from: *const u8) -> Self::Pixel {
                unsafe { signed(from) }
            }

            #[inline(always)]
            unsafe fn weights(from: *const i8) -> Self::Weights {
                unsafe { (vld1q_s8(from), vld1q_s8(from.add(16))) }
            }

            #[inline(always)]
            unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self {
                unsafe {
                    Self(
                        $add(self.0, pixel, weights.0),
                        $add(self.1, pixel, weights.1),
                    )
                }
            }

            #[inline(always)]
            unsafe fn floats(self) -> F32x4x2 {
                unsafe { F32x4x2(vcvtq_f32_s32(self.0), vcvtq_f32_s32(self.1)) }
            }
        }
    };
}

#[inline(always)]
unsafe fn add_products(sums: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
    unsafe {
        let low = vpaddlq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(w)));
        let high = vpaddlq_s16(vmull_high_s8(x, w));
        vaddq_s32(sums, vpaddq_s32(low, high))
    }
}

#[inline(always)]
unsafe fn add_dot(mut sums: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
    // The intrinsic of this instruction is not stable yet.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sums:v}.4s, {x:v}.16b, {w:v}.16b",
            sums = inout(vreg) sums,
            x = in(vreg) x,
            w = in(vreg) w,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

sums!(
    /// Of any processor.
    Neon,
    4,
    add_products
);
sums!(
    /// With the dot product of ARMv8.2.
    NeonDot,
    6,
    add_dot
);
