//! Settings as older programs wrote them, brought to today's form. Every weights file, checkpoint
//! and `config.yaml` of a run holds all settings of its time.

use serde_yaml::{Mapping, Value};

use super::{OptimizerKind, ScheduleKind};
use crate::kinds::{KIND, Kinds};

/// Once every optimiser had the settings of all, ...
const OPTIMIZER: [&str; 3] = ["momentum", "betas", "epsilon"];
/// ... and every schedule.
const SCHEDULE: [&str; 5] = ["floor", "milestones", "gamma", "cycle_epochs", "cycle_mult"];

/// Rewrite what an older program wrote; today's settings stay as they are.
pub(super) fn bring_up_to_date(tree: &mut Value) {
    drop_foreign::<OptimizerKind>(tree, "optimizer", &OPTIMIZER);
    drop_foreign::<ScheduleKind>(tree, "schedule", &SCHEDULE);
}

/// Of a section with all of the `keys`, which no kind has together, those go that its kind never
/// looked at.
fn drop_foreign<K: Kinds>(tree: &mut Value, section: &str, keys: &[&str]) {
    let Some(Value::Mapping(section)) = tree.get_mut(section) else {
        return;
    };
    if !keys.iter().all(|key| section.contains_key(*key)) {
        return;
    }
    let own = K::settings_of(kind_of(section).unwrap_or(K::default().name()));
    for key in keys
        .iter()
        .filter(|&&key| !own.iter().any(|own| own == key))
    {
        section.remove(*key);
    }
}

fn kind_of(section: &Mapping) -> Option<&str> {
    section.get(KIND)?.as_str()
}
