//! What may be changed about networks that are trained already: how they are used.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_yaml::Value;

use super::Config;
use super::load::{apply_set, merge, overlay, typed};

/// Sections that a network does not depend on.
const SECTIONS: [&str; 2] = ["data", "detect"];
/// Settings of the aligner that say how it is used.
const ALIGNER: &str = "aligner";
const ALIGNER_KEYS: [&str; 3] = ["min_score", "passes", "flip"];

/// The user's settings for networks whose own settings travel with their weights. What wins: `--set`,
/// then the file (of `--config`, or [`DEFAULT_FILE`](super::DEFAULT_FILE) in the working directory),
/// then the weights' own. What a network *is* comes from its weights alone.
#[derive(Clone, Debug)]
pub struct Changes {
    tree: Value,
    sets: Vec<String>,
}

impl Changes {
    /// Read `path`, or the default file if that is there. The whole file is checked, also sections
    /// that do not matter here.
    ///
    /// # Errors
    /// As [`Config::load`], and when one of `sets` would change what a network is.
    pub fn read(path: Option<&Path>, sets: &[String]) -> Result<Self> {
        Config::load(path, &[])?;
        let mut tree = overlay(path)?.unwrap_or(Value::Null);
        if let Value::Mapping(sections) = &mut tree {
            sections.retain(|name, section| match name.as_str() {
                Some(ALIGNER) => {
                    if let Value::Mapping(keys) = section {
                        keys.retain(|key, _| {
                            key.as_str().is_some_and(|k| ALIGNER_KEYS.contains(&k))
                        });
                    }
                    true
                }
                Some(name) => SECTIONS.contains(&name),
                None => false,
            });
        }
        sets.iter().try_for_each(|set| check_set(set))?;
        Ok(Self {
            tree,
            sets: sets.to_vec(),
        })
    }

    /// The settings to use a network with whose own are `own`. The lists that it was trained with
    /// are not among them: their paths mean nothing on another machine.
    ///
    /// # Errors
    /// When a value is impossible, with its key.
    pub fn apply(&self, own: &Config) -> Result<Config> {
        let mut tree = self.with_file(own)?;
        for set in &self.sets {
            apply_set(&mut tree, set).with_context(|| format!("--set {set}"))?;
        }
        let config = typed(tree)?;
        config.validate()?;
        Ok(config)
    }

    fn with_file(&self, own: &Config) -> Result<Value> {
        let own = Config {
            data: Config::default().data,
            ..own.clone()
        };
        let mut tree = serde_yaml::to_value(own).context("cannot list the weights' settings")?;
        merge(&mut tree, self.tree.clone());
        Ok(tree)
    }

    /// Settings of `own` that the file overrules, each as `detect.size: 512 -> 640`.
    ///
    /// # Errors
    /// When a value has the wrong type.
    pub fn overruled(&self, own: &Config) -> Result<Vec<String>> {
        let list = |config| serde_yaml::to_value(config).context("cannot list the settings");
        // Both typed, so that the same number is written in the same way.
        let (own, new) = (list(own)?, list(&typed(self.with_file(own)?)?)?);
        let mut found = Vec::new();
        for (section, keys) in [("detect", None), (ALIGNER, Some(ALIGNER_KEYS))] {
            let (Some(Value::Mapping(own)), Some(new)) = (own.get(section), new.get(section))
            else {
                continue;
            };
            for (key, value) in own {
                let key = key.as_str().unwrap_or_default();
                let counts = keys.is_none_or(|keys| keys.contains(&key));
                if let Some(new) = new.get(key).filter(|&new| counts && new != value) {
                    found.push(format!("{section}.{key}: {} -> {}", text(value), text(new)));
                }
            }
        }
        Ok(found)
    }
}

fn check_set(set: &str) -> Result<()> {
    let path = set.split('=').next().unwrap_or_default().trim();
    let (section, key) = path.split_once('.').unwrap_or((path, ""));
    if SECTIONS.contains(&section) || section == ALIGNER && ALIGNER_KEYS.contains(&key) {
        return Ok(());
    }
    bail!(
        "--set {set}: what a network is comes with its weights; here detect.*, data.* and aligner.{{{}}} \
         can be set",
        ALIGNER_KEYS.join(", ")
    )
}

fn text(value: &Value) -> String {
    // All numbers of the settings that have a fraction are f32.
    match value.as_f64() {
        Some(number) => (number as f32).to_string(),
        None => {
            let text = serde_yaml::to_string(value).unwrap_or_default();
            text.trim().to_owned()
        }
    }
}
