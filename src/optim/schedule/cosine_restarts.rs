use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape, above, check_epochs, check_floor, half_cosine};
use crate::check::Check;

/// Half cosines one after the other, each `cycle_mult` times as long and from `peak_mult` times as
/// high as the one before (Loshchilov and Hutter 2017; `t_mul`, `m_mul` and `alpha` of TensorFlow's
/// `CosineDecayRestarts`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CosineRestarts {
    /// Epochs of the first cycle.
    pub cycle_epochs: f64,
    /// Growth of the cycles, 1 or more.
    pub cycle_mult: f64,
    /// What the height of each cycle above the floor is multiplied by for the next one.
    pub peak_mult: f64,
    /// Lowest rate, as a share of the highest.
    pub floor: f64,
}

impl Default for CosineRestarts {
    fn default() -> Self {
        Self {
            cycle_epochs: 10.0,
            cycle_mult: 2.0,
            peak_mult: 1.0,
            floor: 0.01,
        }
    }
}

impl Shape for CosineRestarts {
    fn share(&self, step: usize, run: &Run) -> f64 {
        let growth = self.cycle_mult.max(1.0);
        let (mut start, mut length) = (0.0, run.steps_of(self.cycle_epochs));
        let mut peak = 1.0;
        while step as f64 >= start + length {
            start += length;
            length *= growth;
            peak *= self.peak_mult;
        }
        let place = (step as f64 - start) / length;
        above(self.floor, peak * half_cosine(place))
    }

    fn check(&self, check: &mut Check) {
        check_epochs(check, "cycle_epochs", self.cycle_epochs);
        check.between("schedule.cycle_mult", self.cycle_mult, 1.0, 1000.0);
        check.positive("schedule.peak_mult", self.peak_mult, 1.0);
        check_floor(check, self.floor);
    }
}
