//! The text of `config.yaml`: every setting with its default, and what its own documentation says.

mod describe;
mod lines;

use anyhow::{Context, Result};
use serde_yaml::{Mapping, Value};

use super::{Config, sections};
use crate::kinds::{KIND, Kind};
use describe::Described;
use lines::Lines;

impl Config {
    /// All defaults as a file for people, which parses to them: beside each setting what it may be and
    /// the first paragraph of its documentation; examples, and the settings of other kinds, as
    /// comments.
    ///
    /// # Errors
    /// When a default or an example is no YAML.
    pub fn defaults_for_people() -> Result<String> {
        let tree = mapping(&Self::default().to_yaml()?)?;
        let described = Described::of::<Self>();
        let mut lines = Lines::default();
        for paragraph in described.paragraphs() {
            lines.remark(&paragraph);
        }
        for (key, value) in settings(&tree) {
            lines.blank();
            let setting = described.setting(key);
            match value {
                Value::Mapping(section) => {
                    lines.remark(&setting.paragraphs().next().unwrap_or_default());
                    lines.setting(key, None, "")?;
                    let mut path = vec![key];
                    lines.indented("  ", |lines| write(lines, &setting, section, &mut path))?;
                }
                value => lines.setting(key, Some(value), &setting.comment())?,
            }
        }
        Ok(lines.finish())
    }
}

/// The settings of the section at `path`, in the order of its struct.
fn write<'a>(
    lines: &mut Lines,
    described: &Described,
    section: &'a Mapping,
    path: &mut Vec<&'a str>,
) -> Result<()> {
    let open = sections::OPEN.into_iter().find(|open| open.is_at(path));
    let kinds = open.map(|open| (open.kinds)()).unwrap_or_default();
    let mut of_kind = Mapping::new();
    for (key, value) in settings(section) {
        let setting = described.setting(key);
        match value {
            Value::String(kind) if key == KIND && !kinds.is_empty() => {
                of_kind = write_kinds(lines, &kinds, kind)?;
            }
            _ if of_kind.contains_key(key) => {}
            Value::Mapping(inner) => {
                lines.setting(key, None, &setting.comment())?;
                path.push(key);
                lines.indented("  ", |lines| write(lines, &setting, inner, path))?;
                path.pop();
            }
            value => {
                lines.setting(key, Some(value), &setting.comment())?;
                write_example(lines, key, &setting)?;
            }
        }
    }
    Ok(())
}

/// The kind called `chosen` with its settings, which it gives; those of the others as comments.
fn write_kinds(lines: &mut Lines, kinds: &[Kind], chosen: &str) -> Result<Mapping> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    lines.setting(KIND, Some(&chosen.into()), &names.join(" | "))?;
    let (own, others): (Vec<_>, Vec<_>) = kinds.iter().partition(|kind| kind.name == chosen);
    let mut of_chosen = Mapping::new();
    for kind in own {
        of_chosen = mapping(&kind.defaults)?;
        write_fields(lines, &Described::new(&kind.schema), &of_chosen, &|_| true)?;
    }
    for kind in others {
        let own = mapping(&kind.defaults)?;
        if own.is_empty() {
            continue;
        }
        lines.indented("# ", |lines| {
            lines.setting(KIND, Some(&kind.name.into()), "")?;
            write_fields(lines, &Described::new(&kind.schema), &own, &|_| true)
        })?;
    }
    Ok(of_chosen)
}

/// The example of a setting, as a comment.
fn write_example(lines: &mut Lines, key: &str, setting: &Described) -> Result<()> {
    let Some(example) = setting.example() else {
        return Ok(());
    };
    let example: Value = serde_yaml::from_str(&example).context("an example is no YAML")?;
    lines.indented("# ", |lines| {
        lines.setting(key, None, "")?;
        lines.indented("  ", |lines| match &example {
            Value::Sequence(items) => {
                let each = setting.items();
                let mut told = Mapping::new();
                for item in items.iter().filter_map(Value::as_mapping) {
                    let new = |key: &str| !told.contains_key(key);
                    lines.item(|lines| write_fields(lines, &each, item, &new))?;
                    told.extend(item.clone());
                }
                Ok(())
            }
            Value::Mapping(fields) => write_fields(lines, setting, fields, &|_| true),
            _ => Ok(()),
        })
    })
}

/// Settings one a line, with comments where `commented` says so of their names.
fn write_fields(
    lines: &mut Lines,
    described: &Described,
    fields: &Mapping,
    commented: &dyn Fn(&str) -> bool,
) -> Result<()> {
    for (key, value) in settings(fields) {
        let setting = described.setting(key);
        let comment = match commented(key) {
            true => setting.comment(),
            false => String::new(),
        };
        match value {
            Value::Mapping(inner) => {
                lines.setting(key, None, &comment)?;
                lines.indented("  ", |lines| {
                    write_fields(lines, &setting, inner, &|_| true)
                })?;
            }
            value => lines.setting(key, Some(value), &comment)?,
        }
    }
    Ok(())
}

fn settings(section: &Mapping) -> impl Iterator<Item = (&str, &Value)> {
    let named = section.iter();
    named.filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn mapping(yaml: &str) -> Result<Mapping> {
    serde_yaml::from_str(yaml).context("settings that are no mapping")
}
