//! AVX2 and AVX-512, each with and without instructions for products of bytes.
//!
//! Without them, inputs and weights are taken apart into those at even and at odd places, as numbers
//! of 16 bits: the instruction that multiplies bytes as they are saturates.

use std::arch::x86_64::*;

use super::Dot;
use crate::engine::kernels::simd::{F32x8, F32x16};

/// Four bytes for all lanes, as one number.
#[inline(always)]
unsafe fn four(from: *const u8) -> i32 {
    unsafe { from.cast::<i32>().read_unaligned() }
}

/// Sums in one kind of vector: what pixels and weights are, and how products are added.
macro_rules! sums {
    (
        $(#[$doc:meta])*
        $name:ident($vector:ty) -> $floats:ident, $tile:literal, $load:ident, $to_floats:ident;
        $operand:ty, |$bytes:ident| $pixel:expr, |$packed:ident| $weights:expr,
        |$sums:ident, $x:ident, $w:ident| $add:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name($vector);

        impl Dot for $name {
            type Floats = $floats;
            type Pixel = $operand;
            type Weights = $operand;

            const TILE: usize = $tile;
            const OFFSET: i32 = 0;

            #[inline(always)]
            unsafe fn load(from: *const i32) -> Self {
                Self(unsafe { $load(from.cast()) })
            }

            #[inline(always)]
            unsafe fn pixel(from: *const u8) -> Self::Pixel {
                unsafe {
                    let $bytes = four(from);
                    $pixel
                }
            }

            #[inline(always)]
            unsafe fn weights(from: *const i8) -> Self::Weights {
                unsafe {
                    let $packed = $load(from.cast());
                    $weights
                }
            }

            #[inline(always)]
            unsafe fn plus(self, $x: Self::Pixel, $w: Self::Weights) -> Self {
                let $sums = self.0;
                Self(unsafe { $add })
            }

            #[inline(always)]
            unsafe fn floats(self) -> $floats {
                $floats(unsafe { $to_floats(self.0) })
            }
        }
    };
}

sums!(
    /// AVX2.
    Avx2(__m256i) -> F32x8, 4, _mm256_loadu_si256, _mm256_cvtepi32_ps;
    [__m256i; 2],
    |bytes| {
        let bytes = _mm256_set1_epi32(bytes);
        let even = _mm256_and_si256(bytes, _mm256_set1_epi16(0xff));
        [even, _mm256_srli_epi16::<8>(bytes)]
    },
    |packed| {
        let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(packed));
        [even, _mm256_srai_epi16::<8>(packed)]
    },
    |sums, x, w| {
        let (even, odd) = (_mm256_madd_epi16(x[0], w[0]), _mm256_madd_epi16(x[1], w[1]));
        _mm256_add_epi32(sums, _mm256_add_epi32(even, odd))
    }
);
sums!(
    /// AVX2 with AVX-VNNI.
    Avx2Vnni(__m256i) -> F32x8, 6, _mm256_loadu_si256, _mm256_cvtepi32_ps;
    __m256i,
    |bytes| _mm256_set1_epi32(bytes),
    |packed| packed,
    |sums, x, w| _mm256_dpbusd_avx_epi32(sums, x, w)
);
sums!(
    /// AVX-512.
    Avx512(__m512i) -> F32x16, 12, _mm512_loadu_si512, _mm512_cvtepi32_ps;
    [__m512i; 2],
    |bytes| {
        let bytes = _mm512_set1_epi32(bytes);
        let even = _mm512_and_si512(bytes, _mm512_set1_epi16(0xff));
        [even, _mm512_srli_epi16::<8>(bytes)]
    },
    |packed| {
        let even = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(packed));
        [even, _mm512_srai_epi16::<8>(packed)]
    },
    |sums, x, w| {
        let (even, odd) = (_mm512_madd_epi16(x[0], w[0]), _mm512_madd_epi16(x[1], w[1]));
        _mm512_add_epi32(sums, _mm512_add_epi32(even, odd))
    }
);
sums!(
    /// AVX-512 with VNNI.
    Avx512Vnni(__m512i) -> F32x16, 14, _mm512_loadu_si512, _mm512_cvtepi32_ps;
    __m512i,
    |bytes| _mm512_set1_epi32(bytes),
    |packed| packed,
    |sums, x, w| _mm512_dpbusd_epi32(sums, x, w)
);
