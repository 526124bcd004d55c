//! Lists of labelled photos as the command line names them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

use crate::config::{Config, SourceConfig, SourceKind};
use crate::data::is_list;

/// The source that `KIND:LIST[:IMAGES[:WIDER]]` names.
///
/// # Errors
/// When the text is not of this form: says what is.
pub(super) fn parse(text: &str) -> Result<SourceConfig> {
    let parts = split_paths(text);
    let (kind, list, rest) = match parts.as_slice() {
        [kind, list, rest @ ..] if !list.is_empty() => (kind.as_str(), list, rest),
        _ => bail!("--data {text}: expected KIND:LIST[:IMAGES[:WIDER]] (see --help)"),
    };
    let deserializer: StrDeserializer<'_, serde::de::value::Error> = kind.into_deserializer();
    let kind = SourceKind::deserialize(deserializer).with_context(|| format!("--data {text}"))?;
    let (paths, what) = match kind {
        SourceKind::Wflw => (1..=2, "the folder of its photos, and may have a WIDER list"),
        kind if is_list(kind) => (1..=1, "the folder of its photos"),
        _ => (0..=1, "nothing, or the folder of its photos,"),
    };
    ensure!(
        paths.contains(&rest.len()),
        "--data {text}: {} needs {what} after its list (see --help)",
        parts[0],
    );
    Ok(SourceConfig {
        wider: rest.get(1).map(PathBuf::from),
        ..list_of(kind, Path::new(list), rest.first().map(Path::new))
    })
}

/// The sources that the command line names, or else those that the settings train on.
///
/// # Errors
/// As [`parse`], and when there are none.
pub(super) fn or_training(data: &[String], config: &Config) -> Result<Vec<SourceConfig>> {
    let parsed = data.iter().map(|text| parse(text));
    let mut sources: Vec<SourceConfig> = parsed.collect::<Result<_>>()?;
    if sources.is_empty() {
        sources.clone_from(&config.data.train);
    }
    ensure!(
        !sources.is_empty(),
        "no labelled photos: give --data, or --config with data.train"
    );
    Ok(sources)
}

/// A source of this kind with the other settings at their defaults.
pub(super) fn list_of(kind: SourceKind, list: &Path, images: Option<&Path>) -> SourceConfig {
    SourceConfig {
        kind,
        list: list.to_owned(),
        images: images.map(Path::to_owned).unwrap_or_default(),
        weight: 1.0,
        wider: None,
        disagreement: None,
        max_disagreement: None,
        half_disagreement: None,
        complete: None,
    }
}

/// Split at colons, but not behind the drive letter of a Windows path.
fn split_paths(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(':') {
        let is_drive = |p: &str| p.len() == 1 && p.as_bytes()[0].is_ascii_alphabetic();
        match parts.last_mut() {
            Some(last) if is_drive(last) && part.starts_with(['\\', '/']) => {
                last.push(':');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_from_one_argument() {
        let s = parse("wflw:a/list.txt:images:wider.txt").unwrap();
        assert_eq!((s.kind, s.list), (SourceKind::Wflw, "a/list.txt".into()));
        assert_eq!(
            (s.images, s.wider),
            ("images".into(), Some("wider.txt".into()))
        );
        let s = parse("pts:folder").unwrap();
        assert_eq!((s.kind, s.list), (SourceKind::Pts, "folder".into()));
        let s = parse("yolo:labels:images").unwrap();
        assert_eq!((s.kind, s.images), (SourceKind::Yolo, "images".into()));
        let s = parse(r"wider:C:\lists\a.txt:D:/images").unwrap();
        assert_eq!(
            (s.list, s.images),
            (r"C:\lists\a.txt".into(), "D:/images".into())
        );
        for bad in [
            "",
            "wflw",
            "wflw:",
            "wflw:a",
            "coco:a",
            "dlib:a:b",
            "pts:a:b:c",
            "wider:a:b:c",
        ] {
            let error = format!("{:#}", parse(bad).unwrap_err());
            assert!(error.contains("--data"), "{bad}: {error}");
        }
    }
}
