//! Which sections have a `kind` with settings of its own.

use serde_yaml::Value;

use super::{AssignerKind, LandmarkLossKind, OptimizerKind, PoseLossKind, ScheduleKind};
use crate::kinds::{KIND, Kind, Kinds};

/// A section whose settings depend on its kind.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// Keys that lead to it.
    path: &'static [&'static str],
    settings_of: fn(&str) -> Vec<String>,
    /// What its kind may be.
    pub(super) kinds: fn() -> Vec<Kind>,
}

/// All of them.
pub(super) const OPEN: [Open; 5] = [
    open::<OptimizerKind>(&["optimizer"]),
    open::<ScheduleKind>(&["schedule"]),
    open::<LandmarkLossKind>(&["loss", "landmark"]),
    open::<PoseLossKind>(&["loss", "pose"]),
    open::<AssignerKind>(&["matcher"]),
];

const fn open<K: Kinds>(path: &'static [&'static str]) -> Open {
    Open {
        path,
        settings_of: K::settings_of,
        kinds: K::all,
    }
}

impl Open {
    /// The kind that `tree` names there.
    pub(super) fn kind_in(self, tree: &Value) -> Option<String> {
        let section = self.path.iter().try_fold(tree, |tree, key| tree.get(key))?;
        Some(section.get(KIND)?.as_str()?.to_owned())
    }

    /// Whether these keys lead to it.
    pub(super) fn is_at(self, path: &[&str]) -> bool {
        self.path == path
    }

    /// Whether `path` (`a.b.c`) is that of its kind.
    pub(super) fn is_kind_at(self, path: &str) -> bool {
        path.strip_suffix(KIND)
            .and_then(|path| path.strip_suffix('.'))
            .is_some_and(|path| path.split('.').eq(self.path.iter().copied()))
    }

    /// Before the kind in `tree` becomes `kind`: if that is another one, drop the settings that the
    /// present one has for itself.
    pub(super) fn switch(self, tree: &mut Value, kind: &str) {
        let Some(old) = self.kind_in(tree).filter(|old| old != kind) else {
            return;
        };
        let place = self
            .path
            .iter()
            .try_fold(tree, |tree, key| tree.get_mut(key));
        if let Some(Value::Mapping(section)) = place {
            let own = (self.settings_of)(&old);
            section.retain(|key, _| key.as_str().is_none_or(|key| !own.iter().any(|o| o == key)));
        }
    }
}
