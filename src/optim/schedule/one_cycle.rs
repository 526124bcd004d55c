use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape, half_cosine};
use crate::check::Check;

/// Up along half a cosine, and down along another one to far below the start (Smith and Topin
/// 2018, as PyTorch's `OneCycleLR`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OneCycle {
    /// Share of the run in which the rate rises.
    pub rise: f64,
    /// The highest rate over the first one.
    pub start_divisor: f64,
    /// The first rate over the last one.
    pub end_divisor: f64,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
        }
    }
}

impl Shape for OneCycle {
    fn share(&self, step: usize, run: &Run) -> f64 {
        let steps = run.after_warmup();
        let (step, top, last) = (step as f64, self.rise * steps - 1.0, steps - 1.0);
        let first = 1.0 / self.start_divisor;
        if step < top {
            return 1.0 + (first - 1.0) * half_cosine(step / top);
        }
        let end = first / self.end_divisor;
        // A run may be too short to rise or to fall.
        let top = top.max(0.0);
        let place = (step - top) / (last - top).max(1.0);
        end + (1.0 - end) * half_cosine(place)
    }

    fn check(&self, check: &mut Check) {
        check.between("schedule.rise", self.rise, 0.0, 1.0);
        check.between("schedule.start_divisor", self.start_divisor, 1.0, 1e9);
        check.between("schedule.end_divisor", self.end_divisor, 1.0, 1e9);
    }
}
