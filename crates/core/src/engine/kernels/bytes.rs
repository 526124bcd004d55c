//! Numbers as bytes.

use super::simd::Simd;
use super::{Isa, Kernel};
use crate::graph::ByteScale;

/// Write `from` as bytes to `to`; both are whole vectors, and as long.
pub fn quantise_row(isa: Isa, scale: ByteScale, from: &[f32], to: &mut [u8]) {
    assert!(
        from.len() == to.len() && from.len().is_multiple_of(isa.lanes()),
        "a row that is not in blocks"
    );
    // Whole vectors, checked above.
    unsafe { isa.run(Quantise { scale, from, to }) }
}

struct Quantise<'a> {
    scale: ByteScale,
    from: &'a [f32],
    to: &'a mut [u8],
}

impl Kernel for Quantise<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        unsafe {
            let factor = S::splat(self.scale.factor());
            let zero = S::splat(f32::from(self.scale.zero));
            let (low, high) = (S::splat(0.0), S::splat(255.0));
            for at in (0..self.from.len()).step_by(S::LANES) {
                let x = S::load(self.from.as_ptr().add(at));
                let whole = x.mul(factor).round().add(zero);
                let byte = whole.max(low).min(high);
                byte.store_bytes(self.to.as_mut_ptr().add(at));
            }
        }
    }
}
