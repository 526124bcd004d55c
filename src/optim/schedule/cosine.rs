use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape, above, check_floor, half_cosine};
use crate::check::Check;

/// Half a cosine down to the floor at the end of the run (Loshchilov and Hutter 2017, without
/// restarts).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cosine {
    /// Lowest rate, as a share of the highest.
    pub floor: f64,
}

impl Default for Cosine {
    fn default() -> Self {
        Self { floor: 0.01 }
    }
}

impl Shape for Cosine {
    fn share(&self, step: usize, run: &Run) -> f64 {
        above(self.floor, half_cosine(step as f64 / run.after_warmup()))
    }

    fn check(&self, check: &mut Check) {
        check_floor(check, self.floor);
    }
}
