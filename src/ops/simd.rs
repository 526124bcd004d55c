//! Run-time choice of the instruction set, and the few vector helpers that the kernels share.

use std::mem::MaybeUninit;

use pulp::{MemMask, Simd, WithSimd};

/// Runs `op` with the widest instruction set of this processor: AVX-512, AVX2 with FMA, NEON, or
/// scalar code.
pub(super) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    let narrower = forced();
    if narrower == Some("scalar") {
        return Simd::vectorize(pulp::Scalar::new(), op);
    }
    #[cfg(target_arch = "x86_64")]
    {
        if narrower != Some("avx2")
            && let Some(simd) = pulp::x86::V4::try_new()
        {
            return Simd::vectorize(simd, op);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, op);
        }
    }
    pulp::Arch::new().dispatch(op)
}

/// What the environment variable `RETINAMARK_SIMD` narrows the choice to, in builds for tests.
#[cfg(debug_assertions)]
fn forced() -> Option<&'static str> {
    static FORCED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    FORCED
        .get_or_init(|| std::env::var("RETINAMARK_SIMD").ok())
        .as_deref()
}

/// Programs that are used take what the processor has.
#[cfg(not(debug_assertions))]
const fn forced() -> Option<&'static str> {
    None
}

/// Name of the instruction set that [`dispatch`] chooses.
pub(super) fn name() -> &'static str {
    struct Name;
    impl WithSimd for Name {
        type Output = &'static str;
        fn with_simd<S: Simd>(self, _: S) -> &'static str {
            match S::F32_LANES {
                16 => "avx512",
                8 => "avx2",
                4 => "neon",
                _ => "scalar",
            }
        }
    }
    dispatch(Name)
}

/// The vector at the start of `src`.
///
/// Panics when `src` is shorter; where it is a chunk of whole vectors, the compiler sees that it
/// is not.
#[inline(always)]
pub(super) fn load<S: Simd>(src: &[f32]) -> S::f32s {
    assert!(src.len() >= S::F32_LANES);
    // SAFETY: `src` holds a whole vector, and any bits are floats.
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
    debug_assert!(mask.is_some() || at + S::F32_LANES <= src.len());
    debug_assert!(at <= src.len());
    // SAFETY: the caller keeps the range inside of `src`.
    unsafe {
        let from = src.as_ptr().add(at);
        match mask {
            None => from.cast::<S::f32s>().read_unaligned(),
            Some(mask) => simd.mask_load_ptr_f32s(mask, from),
        }
    }
}

/// Stores `value` at the start of `dst`.
///
/// Panics when `dst` is shorter, as [`load`].
#[inline(always)]
pub(super) fn store<S: Simd>(dst: &mut [f32], value: S::f32s) {
    assert!(dst.len() >= S::F32_LANES);
    // SAFETY: `dst` has room for a whole vector.
    unsafe { dst.as_mut_ptr().cast::<S::f32s>().write_unaligned(value) }
}

/// [`store`] to memory that was not written before.
#[inline(always)]
pub(super) fn write<S: Simd>(dst: &mut [MaybeUninit<f32>], value: S::f32s) {
    assert!(dst.len() >= S::F32_LANES);
    // SAFETY: `dst` has room for a whole vector.
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
