//! Settings as older programs wrote them, brought to today's form. Every weights file, checkpoint
//! and `config.yaml` of a run holds all settings of its time.

use serde_yaml::{Mapping, Value};

use super::{LandmarkLossKind, OptimizerKind, ScheduleKind};
use crate::kinds::{KIND, Kinds};

/// Once every optimiser had the settings of all, ...
const OPTIMIZER: [&str; 3] = ["momentum", "betas", "epsilon"];
/// ... and every schedule.
const SCHEDULE: [&str; 5] = ["floor", "milestones", "gamma", "cycle_epochs", "cycle_mult"];

/// Settings that stood beside the name of the landmark loss; what they are now in `wing` and
/// `soft_wing`.
const WING: [(&str, Option<&str>, &str); 3] = [
    ("wing_w", Some("width"), "inner"),
    ("soft_wing_outer", None, "outer"),
    ("wing_epsilon", Some("epsilon"), "epsilon"),
];
const LANDMARK: &str = "landmark";

/// Rewrite what an older program wrote; today's settings stay as they are.
pub(super) fn bring_up_to_date(tree: &mut Value) {
    drop_foreign::<OptimizerKind>(tree, "optimizer", &OPTIMIZER);
    drop_foreign::<ScheduleKind>(tree, "schedule", &SCHEDULE);
    if let Some(Value::Mapping(loss)) = tree.get_mut("loss") {
        nest_landmark_loss(loss);
    }
}

/// The landmark loss was a name, and the settings of two of them stood beside it.
fn nest_landmark_loss(loss: &mut Mapping) {
    if let Some(Value::String(kind)) = loss.get(LANDMARK).cloned() {
        let named = Mapping::from_iter([(KIND.into(), kind.into())]);
        loss.insert(LANDMARK.into(), named.into());
    }
    let beside = |key: &str| loss.contains_key(key);
    let (some, everything) = (
        WING.iter().any(|(key, ..)| beside(key)),
        WING.iter().all(|(key, ..)| beside(key)),
    );
    if !some {
        return;
    }
    let default = Mapping::from_iter([(KIND.into(), LandmarkLossKind::default().name().into())]);
    let landmark = loss.get(LANDMARK).cloned().unwrap_or(default.into());
    let Value::Mapping(mut landmark) = landmark else {
        return; // of the wrong type, which reading it will tell
    };
    let kind = kind_of(&landmark).map(str::to_owned);
    for (key, wing, soft_wing) in WING {
        let name = match kind.as_deref() {
            Some("wing") => wing,
            Some("soft_wing") => Some(soft_wing),
            _ => None,
        };
        // One that the kind does not have stays, as an error, unless all were written down anyway.
        if name.is_none() && !everything {
            continue;
        }
        if let (Some(value), Some(name)) = (loss.remove(key), name) {
            landmark.insert(name.into(), value);
        }
    }
    loss.insert(LANDMARK.into(), landmark.into());
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
