//! From YAML and `--set` to a checked [`Config`], and back to YAML.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Deserializer};
use serde_yaml::{Mapping, Value};

use super::{Config, outdated, sections};
use crate::text;

/// Read when no `--config` is given and the working directory has it.
pub const DEFAULT_FILE: &str = "config.yaml";

impl Config {
    /// The settings of a file, changed by `sets` (each `key.path=value`), checked.
    ///
    /// Without `path`, [`DEFAULT_FILE`] in the working directory is read if it is there, and the
    /// defaults apply if it is not. Keys that the file leaves out take their defaults. Relative
    /// paths in a configuration, in a file as in `sets`, are relative to the working directory,
    /// so that a saved copy in another folder means the same.
    ///
    /// A value in `sets` is YAML (`0.1`, `true`, `[1, 2]`, `{kind: wflw, list: a.txt}`, `null`).
    /// Items of lists go by index, `data.train.0.weight=2`; the index just past the end appends.
    ///
    /// # Errors
    /// When the file cannot be read, or with the path of the key that is unknown, of the wrong
    /// type or has an impossible value, and what is allowed there.
    pub fn load(path: Option<&Path>, sets: &[String]) -> Result<Self> {
        let mut tree = defaults()?;
        if let Some(overlay) = overlay(path)? {
            merge(&mut tree, overlay);
        }
        for set in sets {
            apply_set(&mut tree, set).with_context(|| format!("--set {set}"))?;
        }
        let config = typed(tree).context("--set")?;
        config.validate()?;
        Ok(config)
    }

    /// Parse and check a YAML text; keys that it leaves out take their defaults.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_yaml(text: &str) -> Result<Self> {
        let mut tree = defaults()?;
        merge(&mut tree, parse_tree(text)?);
        let config = typed(tree)?;
        config.validate()?;
        Ok(config)
    }

    /// Every setting as YAML, such that [`Config::from_yaml`] gives an equal configuration.
    ///
    /// # Errors
    /// When a path in the configuration is not valid Unicode.
    pub fn to_yaml(&self) -> Result<String> {
        serde_yaml::to_string(self).context("cannot write the configuration as YAML")
    }
}

/// What the file at `path`, or the default one if it is there, says, checked for keys and types.
pub(super) fn overlay(path: Option<&Path>) -> Result<Option<Value>> {
    let default_file = Path::new(DEFAULT_FILE);
    let Some(file) = path.or_else(|| default_file.exists().then_some(default_file)) else {
        return Ok(None);
    };
    let read = || -> Result<Value> {
        let overlay = parse_tree(&text::decode(std::fs::read(file)?)?)?;
        let mut tree = defaults()?;
        merge(&mut tree, overlay.clone());
        typed(tree)?;
        Ok(overlay)
    };
    let overlay = read().with_context(|| format!("configuration {}", file.display()))?;
    Ok(Some(overlay))
}

fn defaults() -> Result<Value> {
    serde_yaml::to_value(Config::default()).context("cannot list the default settings")
}

fn parse_tree(text: &str) -> Result<Value> {
    let text = text::without_mark(text);
    let mut tree: Value = serde_yaml::from_str(text).context("not valid YAML")?;
    ensure!(
        matches!(tree, Value::Mapping(_) | Value::Null),
        "expected `key: value` lines at the top level"
    );
    outdated::bring_up_to_date(&mut tree);
    Ok(tree)
}

/// Settings as they stand in weights files, also those of older programs.
pub(crate) fn deserialize_saved<'de, D: Deserializer<'de>>(from: D) -> Result<Config, D::Error> {
    let mut tree = Value::deserialize(from)?;
    outdated::bring_up_to_date(&mut tree);
    typed(tree).map_err(serde::de::Error::custom)
}

/// Mappings merge key by key, everything else is replaced. A section that is written down but
/// empty (`data:` with all its keys commented out) stays as it was. Another kind takes the settings
/// of the kind before with it.
pub(super) fn merge(base: &mut Value, overlay: Value) {
    for section in sections::OPEN {
        if let Some(kind) = section.kind_in(&overlay) {
            section.switch(base, &kind);
        }
    }
    merge_keys(base, overlay);
}

fn merge_keys(base: &mut Value, overlay: Value) {
    match (base, overlay) {
        (Value::Mapping(base), Value::Mapping(overlay)) => {
            for (key, value) in overlay {
                match base.get_mut(&key) {
                    Some(old) => merge_keys(old, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (Value::Mapping(_), Value::Null) => {}
        (base, overlay) => *base = overlay,
    }
}

/// The typed configuration; errors start with the path of the key.
pub(super) fn typed(tree: Value) -> Result<Config> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        // At the root the path is ".", and serde_yaml repeats the path of some errors itself.
        let reason = reason.to_string();
        let reason = reason
            .strip_prefix(&format!("{path}: "))
            .unwrap_or(&reason)
            .to_owned();
        match path.as_str() {
            "." => anyhow!("{reason}"),
            // Sections with a kind find their keys themselves.
            path if reason.starts_with('.') => anyhow!("{path}{reason}"),
            path => anyhow!("{path}: {reason}"),
        }
    })
}

pub(super) fn apply_set(tree: &mut Value, set: &str) -> Result<()> {
    let (path, text) = set
        .split_once('=')
        .context("expected key.path=value, for example train.epochs=10")?;
    let value: Value = serde_yaml::from_str(text).context("the value is not valid YAML")?;
    let path = path.trim();
    for section in sections::OPEN {
        if let (true, Some(kind)) = (section.is_kind_at(path), value.as_str()) {
            section.switch(tree, kind);
        }
    }
    let mut place = tree;
    let mut walked = String::new();
    for part in path.split('.') {
        ensure!(!part.is_empty(), "empty name in the key path {path:?}");
        place = child(place, part, &walked)?;
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(part);
    }
    *place = value;
    Ok(())
}

/// The item `part` of the mapping or list called `parent`, made if it is missing: whether a key
/// may stand there is checked afterwards, with the types.
fn child<'a>(place: &'a mut Value, part: &str, parent: &str) -> Result<&'a mut Value> {
    if place.is_null() {
        *place = Value::Mapping(Mapping::new());
    }
    match place {
        Value::Mapping(map) => Ok(map.entry(part.into()).or_insert(Value::Null)),
        Value::Sequence(items) => {
            let len = items.len();
            let index: usize = part.parse().map_err(|_| {
                anyhow!("{parent} is a list: expected an index from 0 to {len}, found {part:?}")
            })?;
            ensure!(
                index <= len,
                "{parent} has {len} items: the index must be from 0 to {len}, not {index}"
            );
            if index == len {
                items.push(Value::Null);
            }
            Ok(&mut items[index])
        }
        _ => bail!("{parent} is a single value and has no key {part:?}"),
    }
}
