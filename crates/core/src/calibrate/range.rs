//! Which range of numbers bytes should cover.

use crate::graph::ByteScale;

/// Bars: eight for each byte.
const BARS: usize = 2048;

/// Shares of the range that are tried: what is cut off costs less than a finer scale brings, or more.
const SHARES: usize = 32;

/// Smallest of them.
const LEAST: f32 = 0.25;

/// How often numbers occur.
#[derive(Clone, Debug)]
pub struct Histogram {
    low: f32,
    high: f32,
    bars: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            low: 0.0,
            high: 0.0,
            bars: vec![0; BARS],
        }
    }
}

impl Histogram {
    /// Let the range reach to `x`, before anything is counted.
    pub fn reach(&mut self, x: f32) {
        if x.is_finite() {
            self.low = self.low.min(x);
            self.high = self.high.max(x);
        }
    }

    fn bar(&self) -> f32 {
        ((self.high - self.low) / BARS as f32).max(f32::MIN_POSITIVE)
    }

    /// Count `x`.
    pub fn count(&mut self, x: f32) {
        let bar = (x - self.low) / self.bar();
        self.bars[(bar as usize).min(BARS - 1)] += 1;
    }

    /// The scale whose squared errors are least in sum.
    pub fn best(&self) -> ByteScale {
        let scales = (0..SHARES).map(|at| {
            let share = 1.0 - (1.0 - LEAST) * at as f32 / SHARES as f32;
            ByteScale::reaching(self.low * share, self.high * share)
        });
        let errors = scales.map(|scale| (self.error(scale), scale));
        let best = errors.min_by(|(a, _), (b, _)| a.total_cmp(b));
        best.map_or_else(
            || ByteScale::reaching(self.low, self.high),
            |(_, scale)| scale,
        )
    }

    fn error(&self, scale: ByteScale) -> f64 {
        let bars = self
            .bars
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        let error = |(at, &count): (usize, &u64)| {
            let x = self.low + (at as f32 + 0.5) * self.bar();
            count as f64 * f64::from(scale.rounded(x) - x).powi(2)
        };
        bars.map(error).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32]) -> ByteScale {
        let mut histogram = Histogram::default();
        values.iter().for_each(|&v| histogram.reach(v));
        values.iter().for_each(|&v| histogram.count(v));
        histogram.best()
    }

    #[test]
    fn even_numbers_keep_their_range_and_rare_ones_are_cut_off() {
        let even: Vec<f32> = (0..10_000).map(|i| i as f32 * 1e-3 - 2.0).collect();
        let scale = of(&even);
        assert!(
            scale.scale > 9.7 / 255.0 && scale.scale < 10.05 / 255.0,
            "{scale:?}"
        );
        assert!((f32::from(scale.zero) - 51.0).abs() <= 1.0, "{scale:?}");
        // One of a million is five times as far away as all others.
        let mut rare: Vec<f32> = (0..1_000_000).map(|i| (i % 1000) as f32 * 1e-3).collect();
        rare.push(5.0);
        let scale = of(&rare);
        assert_eq!(scale.zero, 0);
        // The least of (5 - x)^2 + 10^6 (x / 255)^2 / 12.
        assert!(
            (scale.scale - 2.19 / 255.0).abs() < 0.1 / 255.0,
            "{scale:?}"
        );
    }

    #[test]
    fn a_map_of_zeros_has_a_scale() {
        assert_eq!(of(&[0.0, 0.0]).zero, 0);
        assert!(of(&[]).factor().is_finite());
    }
}
