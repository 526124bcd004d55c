use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape, above, check_epochs, check_floor};
use crate::check::Check;

/// Triangles between the floor and the top (Smith 2017): with `x = |step / size - 2 cycle + 1|`,
/// `size` being half a cycle and `cycle` counting from 1, the share above the floor is
/// `max(0, 1 - x)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cyclical {
    /// Epochs of each cycle, up and down.
    pub cycle_epochs: f64,
    /// Lowest rate, as a share of the highest.
    pub floor: f64,
}

impl Default for Cyclical {
    fn default() -> Self {
        Self {
            cycle_epochs: 10.0,
            floor: 0.01,
        }
    }
}

impl Shape for Cyclical {
    fn share(&self, step: usize, run: &Run) -> f64 {
        let place = (step as f64 / run.steps_of(self.cycle_epochs)).fract();
        above(self.floor, 1.0 - (2.0 * place - 1.0).abs())
    }

    fn check(&self, check: &mut Check) {
        check_epochs(check, "cycle_epochs", self.cycle_epochs);
        check_floor(check, self.floor);
    }
}
