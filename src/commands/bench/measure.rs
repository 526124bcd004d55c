//! Time and memory.

use std::fmt;
use std::time::Instant;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::infer::{Clock, Stage};
use crate::interrupt;

/// Repetitions that warm caches, threads and allocator up.
const WARM_UP: usize = 3;

/// Durations of one repetition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// The one in the middle.
    pub median_ms: f64,
    /// The shortest one.
    pub min_ms: f64,
}

/// Time `iterations` runs, after some to warm up; `clock` then shows what those took.
///
/// # Errors
/// What `run` fails with, or an interruption.
pub fn times(
    iterations: usize,
    clock: &Clock,
    mut run: impl FnMut() -> Result<()>,
) -> Result<Times> {
    interrupt::listen()?;
    let mut all = Vec::new();
    for iteration in 0..WARM_UP + iterations {
        if interrupt::requested() {
            bail!("stopped after {iteration} runs");
        }
        if iteration == WARM_UP {
            clock.reset();
        }
        let start = Instant::now();
        run()?;
        if iteration >= WARM_UP {
            all.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(summary(all))
}

fn summary(mut all: Vec<f64>) -> Times {
    all.sort_by(f64::total_cmp);
    let middle = all.len() / 2;
    let median_ms = match all.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => all[middle],
        _ => (all[middle - 1] + all[middle]) / 2.0,
    };
    Times {
        median_ms,
        min_ms: all.first().copied().unwrap_or(f64::NAN),
    }
}

/// Most memory of this process so far, MiB: its peak where the system tells it (Linux), else
/// what it has now.
pub fn peak_rss_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    let now = || memory_stats::memory_stats().map(|m| m.physical_mem as f64 / 1024.0);
    kib.or_else(now).map(|kib| kib / 1024.0)
}

/// What a stage of a detection takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Its name.
    pub stage: &'static str,
    /// Of a photo's time, in the mean; on all its threads together.
    pub ms: f64,
    /// Of all stages.
    pub percent: f64,
}

/// What the stages of `photos` photos took by `clock`; nothing where none was timed.
pub fn shares(clock: &Clock, photos: usize) -> Vec<Share> {
    let ms = Stage::ALL.map(|stage| clock.spent(stage).as_secs_f64() * 1e3 / photos as f64);
    let all: f64 = ms.iter().sum();
    if all == 0.0 {
        return Vec::new();
    }
    let share = |(stage, ms): (Stage, f64)| Share {
        stage: stage.name(),
        ms,
        percent: 100.0 * ms / all,
    };
    Stage::ALL.into_iter().zip(ms).map(share).collect()
}

/// What `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `forward`, `detect` or `train`.
    pub what: String,
    /// Side of the network input, pixels.
    pub size: u32,
    /// Images at a time.
    pub batch: usize,
    /// Threads.
    pub threads: usize,
    /// Name of the device.
    pub device: String,
    /// Measured repetitions.
    pub iterations: u32,
    /// Median time of a batch.
    pub median_ms: f64,
    /// Shortest time of a batch.
    pub min_ms: f64,
    /// Images a second, by the median.
    pub images_per_s: f64,
    /// Most memory, MiB; null where the system does not say.
    pub peak_rss_mib: Option<f64>,
    /// Where the time of a photo goes, of `detect`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Share>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {} pixels, batch {}, {} threads, {}: median {:.1} ms, shortest {:.1} ms, {:.1} images/s",
            self.what,
            self.size,
            self.batch,
            self.threads,
            self.device,
            self.median_ms,
            self.min_ms,
            self.images_per_s
        )?;
        if let Some(mib) = self.peak_rss_mib {
            write!(f, ", peak memory {mib:.0} MiB")?;
        }
        for Share { stage, ms, percent } in &self.stages {
            write!(f, "\n{stage:14}{ms:8.3} ms a photo {percent:5.1} %")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn median_and_shortest() {
        let times = summary(vec![3.0, 1.0, 9.0]);
        assert_eq!((times.median_ms, times.min_ms), (3.0, 1.0));
        assert_eq!(summary(vec![4.0, 1.0, 2.0, 9.0]).median_ms, 3.0);
        assert!(summary(Vec::new()).median_ms.is_nan());
    }

    #[test]
    fn shares_are_of_a_photo_and_of_all_stages() {
        let clock = Clock::running();
        assert!(shares(&clock, 1).is_empty());
        for _ in 0..3 {
            clock.time(Stage::Decode, || {
                std::thread::sleep(Duration::from_millis(4))
            });
        }
        clock.time(Stage::Write, || {
            std::thread::sleep(Duration::from_millis(4))
        });
        let found = shares(&clock, 2);
        let names = found.iter().map(|share| share.stage);
        assert!(names.eq(Stage::ALL.map(Stage::name)));
        let of = |stage: Stage| &found[stage as usize];
        assert!(of(Stage::Decode).ms >= 6.0 && of(Stage::Write).ms >= 2.0);
        assert!(of(Stage::Decode).percent > of(Stage::Write).percent);
        let all: f64 = found.iter().map(|share| share.percent).sum();
        assert!((all - 100.0).abs() < 1e-9);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_known() {
        assert!(peak_rss_mib().is_some_and(|mib| mib > 1.0));
    }
}
