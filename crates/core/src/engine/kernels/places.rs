//! Expected places on maps.

use super::simd::Simd;
use super::{Isa, Kernel};

/// Under the softmax of one block of maps plus their priors (both `[pixel][lane]`, of a row of
/// `width` pixels after the other), the expected x and y of each lane; pixels' centres lie within
/// `-reach..reach`. Overwrites the maps.
pub fn expected_places(
    isa: Isa,
    maps: &mut [f32],
    prior: &[f32],
    width: usize,
    reach: f32,
    out: [&mut [f32]; 2],
) {
    let lanes = isa.lanes();
    let pixels = maps.len() / lanes;
    assert!(
        prior.len() >= maps.len()
            && out.iter().all(|out| out.len() >= lanes)
            && width > 0
            && pixels.is_multiple_of(width),
        "maps beyond their slices"
    );
    // Checked above.
    unsafe {
        isa.run(Places {
            maps,
            prior,
            width,
            reach,
            out,
        });
    }
}

struct Places<'a> {
    maps: &'a mut [f32],
    prior: &'a [f32],
    width: usize,
    reach: f32,
    out: [&'a mut [f32]; 2],
}

impl Kernel for Places<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let height = self.maps.len() / S::LANES / self.width;
        let place =
            |i: usize, side: usize| ((i as f32 + 0.5) / side as f32 * 2.0 - 1.0) * self.reach;
        unsafe {
            let mut largest = S::splat(f32::NEG_INFINITY);
            for (i, at) in self.maps.chunks_exact_mut(S::LANES).enumerate() {
                let prior = S::load(self.prior.as_ptr().add(i * S::LANES));
                let sum = S::load(at.as_ptr()).add(prior);
                sum.store(at.as_mut_ptr());
                largest = largest.max(sum);
            }
            let zero = S::splat(0.0);
            let (mut total, mut sum_x, mut sum_y) = (zero, zero, zero);
            for (y, row) in self.maps.chunks_exact(self.width * S::LANES).enumerate() {
                let mut of_row = zero;
                for (x, at) in row.chunks_exact(S::LANES).enumerate() {
                    let share = S::load(at.as_ptr()).sub(largest).exp();
                    of_row = of_row.add(share);
                    sum_x = share.mul_add(S::splat(place(x, self.width)), sum_x);
                }
                total = total.add(of_row);
                sum_y = of_row.mul_add(S::splat(place(y, height)), sum_y);
            }
            let [out_x, out_y] = self.out;
            sum_x.div(total).store(out_x.as_mut_ptr());
            sum_y.div(total).store(out_y.as_mut_ptr());
        }
    }
}
