use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape, above, check_floor};
use crate::check::Check;

/// Down to the floor at the end of the run as `(1 - place)^power` (TensorFlow's
/// `PolynomialDecay`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Polynomial {
    /// Rate at the end, as a share of the highest.
    pub floor: f64,
    /// 1: a straight line.
    pub power: f64,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self {
            floor: 0.01,
            power: 1.0,
        }
    }
}

impl Shape for Polynomial {
    fn share(&self, step: usize, run: &Run) -> f64 {
        let place = (step as f64 / run.after_warmup()).min(1.0);
        above(self.floor, (1.0 - place).powf(self.power))
    }

    fn check(&self, check: &mut Check) {
        check_floor(check, self.floor);
        check.positive("schedule.power", self.power, 100.0);
    }
}
