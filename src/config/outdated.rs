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
    if !WING.iter().any(|(key, ..)| loss.contains_key(*key)) {
        return;
    }
    let everything = WING.iter().all(|(key, ..)| loss.contains_key(*key));
    let default = Mapping::from_iter([(KIND.into(), LandmarkLossKind::default().name().into())]);
    let landmark = loss.entry(LANDMARK.into()).or_insert(default.into());
    let Some(landmark) = landmark.as_mapping_mut() else {
        return;
    };
    let mut landmark = std::mem::take(landmark);
    for (key, wing, soft_wing) in WING {
        let name = match kind_of(&landmark) {
            Some("wing") => wing,
            Some("soft_wing") => Some(soft_wing),
            _ => None,
        };
        // One that the kind does not have stays, as an error, unless all were written down anyway.
        if let (Some(name), Some(value)) = (name, loss.get(key).cloned()) {
            landmark.insert(name.into(), value);
            loss.remove(key);
        } else if everything {
            loss.remove(key);
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
