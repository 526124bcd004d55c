//! The photo that lies beside a file of the same name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Reason;
use super::list::Fault;
use crate::imaging::{self, PHOTO_ENDINGS};

/// Photos of the folders looked into so far.
#[derive(Debug, Default)]
pub(super) struct Beside {
    folders: HashMap<PathBuf, Photos>,
}

/// By what their names have in common with those of their companions: no ending, small letters.
type Photos = HashMap<String, Vec<PathBuf>>;

impl Beside {
    /// The photo of `file`. Of several the one whose name is written the same way, and then the one
    /// whose ending stands first in [`PHOTO_ENDINGS`].
    pub(super) fn photo_of(&mut self, file: &Path) -> Result<PathBuf, Fault> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let photos = self.folder(folder)?;
        let found = key(file).and_then(|key| photos.get(&key));
        let found = || found.into_iter().flatten().filter(|path| path.is_file());
        let readable = found().filter_map(|path| {
            let rank = PHOTO_ENDINGS.iter().position(|&e| {
                let ending = path.extension();
                ending.is_some_and(|own| own.eq_ignore_ascii_case(e))
            })?;
            Some((path.file_stem() != file.file_stem(), rank, path))
        });
        if let Some((.., path)) = readable.min() {
            return Ok(path.clone());
        }
        Err(match found().next() {
            Some(other) => Fault::new(
                Reason::BrokenPhoto,
                format!(
                    "its photo {} is of a kind that cannot be read; convert it to JPEG or PNG",
                    other.display()
                ),
            ),
            None => Fault::new(
                Reason::MissingPhoto,
                "no photo of the same name beside it (jpg, png, ...)",
            ),
        })
    }

    fn folder(&mut self, folder: &Path) -> Result<&Photos, Fault> {
        match self.folders.entry(folder.to_owned()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let photos = list(folder).map_err(|e| {
                    let text = format!("cannot list {}: {e}", folder.display());
                    Fault::new(Reason::Unreadable, text)
                })?;
                Ok(new.insert(photos))
            }
        }
    }
}

fn list(folder: &Path) -> std::io::Result<Photos> {
    let here = folder.as_os_str().is_empty();
    let mut photos = Photos::new();
    for entry in std::fs::read_dir(if here { Path::new(".") } else { folder })? {
        let name = entry?.file_name();
        let path = folder.join(&name);
        if is_photo(&name)
            && let Some(key) = key(&path)
        {
            photos.entry(key).or_default().push(path);
        }
    }
    Ok(photos)
}

fn is_photo(name: &OsStr) -> bool {
    let known = imaging::is_photo_name(name) || imaging::unreadable_ending(name).is_some();
    known && !imaging::is_sidecar(name)
}

fn key(path: &Path) -> Option<String> {
    let stem = path.file_stem()?;
    Some(stem.to_string_lossy().to_lowercase())
}
