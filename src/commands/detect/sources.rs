//! What the PATHs given are, and what their photos are called in the results.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::imaging::is_photo_name;
use crate::output::portable_name;

/// A photo to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Where it is.
    pub path: PathBuf,
    /// Its place in the results.
    pub relative: PathBuf,
    /// How many come before it in the input.
    pub place: usize,
}

impl Photo {
    /// Its place in the results as text.
    pub fn name(&self) -> String {
        portable_name(&self.relative)
    }
}

/// A PATH.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it is.
    pub kind: Kind,
    /// Where several PATHs were given: what stands in front of the names of its photos.
    label: Option<OsString>,
}

/// What a PATH is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A photo.
    File(PathBuf),
    /// Its photos.
    Folder(PathBuf),
    /// What matches below the folders before the first wildcard.
    Pattern {
        /// Those folders.
        base: PathBuf,
        /// The rest.
        rest: glob::Pattern,
    },
}

/// What `paths` are, in their order, and what is wrong with the others. No two photos of them have
/// the same place in the results.
///
/// # Errors
/// When a pattern is malformed.
pub fn sources(paths: &[PathBuf]) -> Result<(Vec<Source>, Vec<String>)> {
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    let mut labels = HashSet::new();
    for path in paths {
        match kind(path)? {
            Ok(kind) => sources.push(kind),
            Err(error) => problems.push(unreadable(path, error)),
        }
    }
    let labelled = |kind: Kind| Source {
        label: (paths.len() > 1).then(|| unique_label(&kind, &mut labels)),
        kind,
    };
    Ok((sources.into_iter().map(labelled).collect(), problems))
}

fn kind(path: &Path) -> Result<std::io::Result<Kind>> {
    Ok(match path.metadata() {
        Ok(data) if data.is_dir() => Ok(Kind::Folder(path.to_owned())),
        Ok(_) => Ok(Kind::File(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => split_pattern(path)?.ok_or(error),
        Err(error) => Err(error),
    })
}

fn unreadable(path: &Path, error: std::io::Error) -> String {
    let missing = error.kind() == ErrorKind::NotFound;
    let reason = anyhow::Error::new(error);
    let reason = match missing {
        true => reason.context("no such file"),
        false => reason,
    };
    format!("cannot read {}: {reason:#}", path.display())
}

/// `None` when there is no wildcard in the path.
fn split_pattern(path: &Path) -> Result<Option<Kind>> {
    let wild = |part: &OsStr| {
        let bytes = part.as_encoded_bytes();
        bytes.iter().any(|b| matches!(b, b'*' | b'?' | b'['))
    };
    let parts: Vec<_> = path.components().collect();
    let Some(first) = parts.iter().position(|part| wild(part.as_os_str())) else {
        return Ok(None);
    };
    let base: PathBuf = parts[..first].iter().collect();
    let rest: Vec<_> = parts[first..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let here = base.as_os_str().is_empty();
    Ok(Some(Kind::Pattern {
        base: if here { PathBuf::from(".") } else { base },
        rest: glob::Pattern::new(&rest.join("/"))
            .with_context(|| format!("in the pattern {}", path.display()))?,
    }))
}

impl Source {
    /// Where a file that was found in it goes in the results.
    pub fn relative(&self, file: &Path) -> PathBuf {
        let label = self.label.as_deref();
        match &self.kind {
            Kind::File(_) => {
                PathBuf::from(label.unwrap_or(file.file_name().unwrap_or(file.as_os_str())))
            }
            Kind::Folder(base) | Kind::Pattern { base, .. } => {
                let below = file.strip_prefix(base).unwrap_or(file);
                label.map_or_else(|| below.to_owned(), |label| Path::new(label).join(below))
            }
        }
    }
}

impl Source {
    /// The file that goes where `image` says in the results, if this source may hold it.
    pub fn file_of(&self, image: &str) -> Option<PathBuf> {
        let image = Path::new(image);
        let below = match &self.label {
            Some(label) => image.strip_prefix(label).ok()?,
            None => image,
        };
        match &self.kind {
            Kind::File(file) => (self.relative(file) == image).then(|| file.clone()),
            Kind::Folder(base) | Kind::Pattern { base, .. } => Some(base.join(below)),
        }
    }
}

/// The last part of a PATH; `~2`, `~3` ... (before the extension of a photo) when an earlier PATH
/// has the same.
fn unique_label(kind: &Kind, labels: &mut HashSet<OsString>) -> OsString {
    let (Kind::File(path) | Kind::Folder(path) | Kind::Pattern { base: path, .. }) = kind;
    let name = match path.file_name() {
        Some(name) => Some(name.to_owned()),
        // "." and ".." have a name when written out.
        None => path
            .canonicalize()
            .ok()
            .and_then(|path| path.file_name().map(OsStr::to_owned)),
    };
    let name = name.unwrap_or_else(|| "root".into());
    let mut label = name.clone();
    for number in 2.. {
        if labels.insert(label.clone()) {
            break;
        }
        label = numbered(Path::new(&name), number);
    }
    label
}

fn numbered(name: &Path, number: u32) -> OsString {
    let extension = name.extension().filter(|_| is_photo_name(name.as_os_str()));
    let stem = if extension.is_some() {
        name.file_stem().unwrap_or_default()
    } else {
        name.as_os_str()
    };
    let mut label = stem.to_owned();
    label.push(format!("~{number}"));
    if let Some(extension) = extension {
        label.push(".");
        label.push(extension);
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_repeat() {
        let mut labels = HashSet::new();
        let mut of = |path: &str| {
            let label = unique_label(&Kind::Folder(path.into()), &mut labels);
            label.to_string_lossy().into_owned()
        };
        assert_eq!(of("x/a.jpg"), "a.jpg");
        assert_eq!(of("y/a.jpg"), "a~2.jpg");
        assert_eq!(of("z/a.jpg"), "a~3.jpg");
        assert_eq!(of("a~2.jpg"), "a~2~2.jpg");
        assert_eq!(of("photos.d/"), "photos.d");
        assert_eq!(of("q/photos.d"), "photos.d~2");
        assert_eq!(of("/"), "root");
    }

    #[test]
    fn names_in_the_results_lead_back_to_files() {
        let source = |kind, label: Option<&str>| Source {
            kind,
            label: label.map(OsString::from),
        };
        let file = |name: &str| Kind::File(name.into());
        let found = |source: Source, image| source.file_of(image);
        let some = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            found(source(file("x/a.jpg"), None), "a.jpg"),
            some("x/a.jpg")
        );
        assert_eq!(
            found(source(file("x/a.jpg"), Some("a~2.jpg")), "a~2.jpg"),
            some("x/a.jpg")
        );
        assert_eq!(found(source(file("x/a.jpg"), None), "b.jpg"), None);
        let folder = || Kind::Folder("x".into());
        assert_eq!(found(source(folder(), None), "s/a.jpg"), some("x/s/a.jpg"));
        assert_eq!(
            found(source(folder(), Some("x~2")), "x~2/a.jpg"),
            some("x/a.jpg")
        );
        assert_eq!(found(source(folder(), Some("x~2")), "x/a.jpg"), None);
    }

    #[test]
    fn patterns_split_before_their_first_wildcard() {
        let split = |text: &str| match split_pattern(Path::new(text)).unwrap() {
            Some(Kind::Pattern { base, rest }) => Some((base, rest.as_str().to_owned())),
            _ => None,
        };
        assert_eq!(split("a/b*/c.jpg"), Some(("a".into(), "b*/c.jpg".into())));
        assert_eq!(split("*.png"), Some((".".into(), "*.png".into())));
        assert_eq!(split("/x/[ab]"), Some(("/x".into(), "[ab]".into())));
        assert_eq!(split("plain.jpg"), None);
        assert!(split_pattern(Path::new("a/[b")).is_err());
    }
}
