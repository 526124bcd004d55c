use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape};
use crate::check::Check;

/// Times `gamma` at each milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MultiStep {
    /// Where the rate falls, as shares of the whole run, warm-up included (0.7: after 70 % of it).
    pub milestones: Vec<f64>,
    /// Factor of each milestone.
    pub gamma: f64,
}

impl Default for MultiStep {
    fn default() -> Self {
        Self {
            milestones: vec![0.7, 0.9],
            gamma: 0.1,
        }
    }
}

impl Shape for MultiStep {
    fn share(&self, step: usize, run: &Run) -> f64 {
        let done = (step + run.warmup) as f64 / run.steps as f64;
        let passed = self.milestones.iter().filter(|&&m| done >= m);
        self.gamma.powi(passed.count() as i32)
    }

    fn check(&self, check: &mut Check) {
        let milestones = &self.milestones;
        check.ensure(
            milestones.iter().all(|m| (0.0..=1.0).contains(m))
                && milestones.windows(2).all(|w| w[0] < w[1]),
            "schedule.milestones",
            &format!(
                "must be shares of the run from 0 to 1, each larger than the one before, is \
                 {milestones:?}"
            ),
        );
        check.positive("schedule.gamma", self.gamma, 1.0);
    }
}
