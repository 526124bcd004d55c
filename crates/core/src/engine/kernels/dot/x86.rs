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

/// AVX2.
#[derive(Clone, Copy)]
pub struct Avx2(__m256i);

impl Dot for Avx2 {
    type Floats = F32x8;
    type Pixel = [__m256i; 2];
    type Weights = [__m256i; 2];

    const TILE: usize = 4;
    const OFFSET: i32 = 0;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        Self(unsafe { _mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    unsafe fn pixel(from: *const u8) -> Self::Pixel {
        unsafe {
            let bytes = _mm256_set1_epi32(four(from));
            let low = _mm256_set1_epi16(0xff);
            [_mm256_and_si256(bytes, low), _mm256_srli_epi16::<8>(bytes)]
        }
    }

    #[inline(always)]
    unsafe fn weights(from: *const i8) -> Self::Weights {
        unsafe {
            let bytes = _mm256_loadu_si256(from.cast());
            let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes));
            [even, _mm256_srai_epi16::<8>(bytes)]
        }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self {
        unsafe {
            let even = _mm256_madd_epi16(pixel[0], weights[0]);
            let odd = _mm256_madd_epi16(pixel[1], weights[1]);
            Self(_mm256_add_epi32(self.0, _mm256_add_epi32(even, odd)))
        }
    }

    #[inline(always)]
    unsafe fn floats(self) -> F32x8 {
        F32x8(unsafe { _mm256_cvtepi32_ps(self.0) })
    }
}

/// AVX2 with AVX-VNNI.
#[derive(Clone, Copy)]
pub struct Avx2Vnni(__m256i);

impl Dot for Avx2Vnni {
    type Floats = F32x8;
    type Pixel = __m256i;
    type Weights = __m256i;

    const TILE: usize = 6;
    const OFFSET: i32 = 0;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        Self(unsafe { _mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    unsafe fn pixel(from: *const u8) -> Self::Pixel {
        unsafe { _mm256_set1_epi32(four(from)) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const i8) -> Self::Weights {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self {
        Self(unsafe { _mm256_dpbusd_avx_epi32(self.0, pixel, weights) })
    }

    #[inline(always)]
    unsafe fn floats(self) -> F32x8 {
        F32x8(unsafe { _mm256_cvtepi32_ps(self.0) })
    }
}

/// AVX-512.
#[derive(Clone, Copy)]
pub struct Avx512(__m512i);

impl Dot for Avx512 {
    type Floats = F32x16;
    type Pixel = [__m512i; 2];
    type Weights = [__m512i; 2];

    const TILE: usize = 12;
    const OFFSET: i32 = 0;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn pixel(from: *const u8) -> Self::Pixel {
        unsafe {
            let bytes = _mm512_set1_epi32(four(from));
            let low = _mm512_set1_epi16(0xff);
            [_mm512_and_si512(bytes, low), _mm512_srli_epi16::<8>(bytes)]
        }
    }

    #[inline(always)]
    unsafe fn weights(from: *const i8) -> Self::Weights {
        unsafe {
            let bytes = _mm512_loadu_si512(from.cast());
            let even = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(bytes));
            [even, _mm512_srai_epi16::<8>(bytes)]
        }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self {
        unsafe {
            let even = _mm512_madd_epi16(pixel[0], weights[0]);
            let odd = _mm512_madd_epi16(pixel[1], weights[1]);
            Self(_mm512_add_epi32(self.0, _mm512_add_epi32(even, odd)))
        }
    }

    #[inline(always)]
    unsafe fn floats(self) -> F32x16 {
        F32x16(unsafe { _mm512_cvtepi32_ps(self.0) })
    }
}

/// AVX-512 with VNNI.
#[derive(Clone, Copy)]
pub struct Avx512Vnni(__m512i);

impl Dot for Avx512Vnni {
    type Floats = F32x16;
    type Pixel = __m512i;
    type Weights = __m512i;

    const TILE: usize = 14;
    const OFFSET: i32 = 0;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn pixel(from: *const u8) -> Self::Pixel {
        unsafe { _mm512_set1_epi32(four(from)) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const i8) -> Self::Weights {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self {
        Self(unsafe { _mm512_dpbusd_epi32(self.0, pixel, weights) })
    }

    #[inline(always)]
    unsafe fn floats(self) -> F32x16 {
        F32x16(unsafe { _mm512_cvtepi32_ps(self.0) })
    }
}
