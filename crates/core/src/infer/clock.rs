//! Where the time of a detection goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What happens between a file and its faces on disk, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The file into memory.
    Read,
    /// Its bytes to an upright photo.
    Decode,
    /// The photo to the network's input.
    Letterbox,
    /// The detector's network.
    FirstLook,
    /// What it says to faces.
    Postprocess,
    /// Crops of faces, and the aligner on them.
    SecondLook,
    /// Results to files.
    Write,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Decode,
        Self::Letterbox,
        Self::FirstLook,
        Self::Postprocess,
        Self::SecondLook,
        Self::Write,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Decode => "decode",
            Self::Letterbox => "letterbox",
            Self::FirstLook => "first look",
            Self::Postprocess => "postprocess",
            Self::SecondLook => "second look",
            Self::Write => "write",
        }
    }
}

/// Adds up what each [`Stage`] takes, over all threads that work at the same time. The default one
/// stands still: it never asks the system for the time. Clones show the same sums.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<[AtomicU64; Stage::ALL.len()]>>);

impl Clock {
    /// One that runs.
    pub fn running() -> Self {
        Self(Some(Arc::default()))
    }

    /// Do `work`, which is part of `stage`.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let Some(sums) = &self.0 else {
            return work();
        };
        let begun = Instant::now();
        let done = work();
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        sums[stage as usize].fetch_add(nanos, Ordering::Relaxed);
        done
    }

    /// What `stage` took since the start, or the last [`Clock::reset`].
    pub fn spent(&self, stage: Stage) -> Duration {
        let nanos = |sums: &Arc<[AtomicU64; _]>| sums[stage as usize].load(Ordering::Relaxed);
        Duration::from_nanos(self.0.as_ref().map_or(0, nanos))
    }

    /// Begin from zero.
    pub fn reset(&self) {
        for sum in self.0.iter().flat_map(|sums| sums.iter()) {
            sum.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_add_up_over_threads_and_start_again() {
        let (clock, nap) = (Clock::running(), Duration::from_millis(5));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let clock = clock.clone();
                scope.spawn(move || clock.time(Stage::Decode, || std::thread::sleep(nap)));
            }
        });
        assert!(clock.spent(Stage::Decode) >= 2 * nap);
        assert_eq!(clock.spent(Stage::Read), Duration::ZERO);
        clock.reset();
        assert_eq!(clock.spent(Stage::Decode), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_stands_still_lets_the_work_through() {
        let clock = Clock::default();
        assert_eq!(clock.time(Stage::Write, || 7), 7);
        assert_eq!(clock.spent(Stage::Write), Duration::ZERO);
    }
}
