//! Run-time choice of the instruction set, and the few vector helpers that the kernels share.

use std::mem::MaybeUninit;

use pulp::{MemMask, Simd, WithSimd};

/// Runs `op` with the widest instruction set of this processor: AVX-512, AVX2 with FMA, NEON, or
/// scalar code.
pub(super) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, op);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, op);
        }
    }
    pulp::Arch::new().dispatch(op)
}

/// The vector at the start of `src`, which must hold at least one whole vector.
#[inline(always)]
pub(super) fn load<S: Simd>(src: &[f32]) -> S::f32s {
    debug_assert!(src.len() >= S::F32_LANES);
    // SAFETY: callers slice at least F32_LANES floats; a checked copy costs a fifth of the inner
    // loops of the convolutions.
    unsafe { src.as_ptr().cast::<S::f32s>().read_unaligned() }
}

/// The vector at `src[at..]`, which must hold a whole vector, or as many floats as `mask` selects.
///
/// # Safety
/// `at + F32_LANES <= src.len()` without a mask, `at + selected <= src.len()` with one.
#[inline(always)]
pub(super) unsafe fn load_at<S: Simd>(
    simd: S,
    src: &[f32],
    at: usize,
    mask: Option<MemMask<S::m32s>>,
) -> S::f32s {
    // SAFETY: the caller keeps the range inside of `src`.
    unsafe {
        let from = src.as_ptr().add(at);
        match mask {
            None => from.cast::<S::f32s>().read_unaligned(),
            Some(mask) => simd.mask_load_ptr_f32s(mask, from),
        }
    }
}

/// Stores `value` at the start of `dst`, which must have room for a whole vector.
#[inline(always)]
pub(super) fn store<S: Simd>(dst: &mut [f32], value: S::f32s) {
    debug_assert!(dst.len() >= S::F32_LANES);
    // SAFETY: callers slice at least F32_LANES floats, as for `load`.
    unsafe { dst.as_mut_ptr().cast::<S::f32s>().write_unaligned(value) }
}

/// `store` to memory that was not written before.
#[inline(always)]
pub(super) fn write<S: Simd>(dst: &mut [MaybeUninit<f32>], value: S::f32s) {
    debug_assert!(dst.len() >= S::F32_LANES);
    // SAFETY: callers slice at least F32_LANES floats, as for `load`.
    unsafe { dst.as_mut_ptr().cast::<S::f32s>().write_unaligned(value) }
}

/// Sum of all values, in eight or more running sums.
pub(super) fn sum(values: &[f32]) -> f32 {
    struct Sum<'a>(&'a [f32]);
    impl WithSimd for Sum<'_> {
        type Output = f32;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f32 {
            let chunks = self.0.chunks_exact(S::F32_LANES);
            let rest: f32 = chunks.remainder().iter().sum();
            let sums = chunks.fold(simd.splat_f32s(0.0), |sums, x| {
                simd.add_f32s(sums, load::<S>(x))
            });
            simd.reduce_sum_f32s(sums) + rest
        }
    }
    dispatch(Sum(values))
}
