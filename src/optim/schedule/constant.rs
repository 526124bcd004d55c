use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Run, Shape};
use crate::check::Check;

/// Always the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Constant {}

impl Shape for Constant {
    fn share(&self, _step: usize, _run: &Run) -> f64 {
        1.0
    }

    fn check(&self, _check: &mut Check) {}
}
