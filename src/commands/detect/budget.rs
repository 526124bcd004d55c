//! Bounds how many pixels are in memory at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A number of pixels that photos in work share; first come, first served, so that a large photo
/// is not kept waiting for ever by small ones.
#[derive(Debug)]
pub struct Budget {
    total: u64,
    large: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: u64,
    next_ticket: u64,
    serving: u64,
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    budget: &'a Budget,
    pixels: u64,
}

impl Budget {
    /// `total` pixels; whoever wants more than `large` has them all.
    pub const fn new(total: u64, large: u64) -> Self {
        Self {
            total,
            large,
            state: Mutex::new(State {
                free: total,
                next_ticket: 0,
                serving: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Wait for `pixels`; a large photo waits until it is alone.
    pub fn take(&self, pixels: u64) -> Permit<'_> {
        let alone = pixels > self.large.min(self.total);
        let pixels = if alone { self.total } else { pixels };
        let mut state = self.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        while state.serving != ticket || state.free < pixels {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.serving += 1;
        state.free -= pixels;
        self.changed.notify_all();
        Permit {
            budget: self,
            pixels,
        }
    }

    /// Nothing in here panics while it holds the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Give back all but `pixels`; what a large photo leaves may be large as well, and stays alone.
    pub fn shrink(&mut self, pixels: u64) {
        if pixels > self.budget.large || pixels >= self.pixels {
            return;
        }
        self.budget.lock().free += self.pixels - pixels;
        self.pixels = pixels;
        self.budget.changed.notify_all();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.budget.lock().free += self.pixels;
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_than_the_total_and_large_ones_get_their_turn() {
        let budget = Budget::new(10, 7);
        let used = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for worker in 0..8u64 {
                let (budget, used) = (&budget, &used);
                scope.spawn(move || {
                    for round in 0..50 {
                        let wanted = (worker * 7 + round) % 14; // some above the total
                        let mut permit = budget.take(wanted);
                        assert!(wanted <= 7 && permit.pixels == wanted || permit.pixels == 10);
                        permit.shrink(6);
                        let now = used.fetch_add(permit.pixels, Ordering::SeqCst);
                        assert!(now + permit.pixels <= 10);
                        used.fetch_sub(permit.pixels, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(budget.lock().free, 10);
    }
}
