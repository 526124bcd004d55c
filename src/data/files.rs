//! Formats with a file of labels for each photo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::beside::Beside;
use super::list::{self, Fault, Faults, Listed, ListedFace, Place, Units};
use super::{Reason, Report, formats};
use crate::config::{OnError, SourceConfig};
use crate::{imaging, text};

/// Largest file of labels, bytes; those of a hundred faces have a few hundred thousand.
const MAX_BYTES: u64 = 64 << 20;

/// The faces of a file; or where something is wrong, and what.
pub(super) type Parsed = Result<Vec<ListedFace>, (Place, Fault)>;

/// One of these formats.
pub(super) struct Format {
    /// Endings of its files, small letters.
    pub endings: &'static [&'static str],
    /// What may follow the photo's name in that of the file.
    pub suffix: &'static str,
    /// What its numbers count.
    pub units: Units,
    /// Reads a file of this name and content.
    pub parse: fn(&Path, &[u8]) -> Parsed,
}

impl Format {
    fn has(&self, path: &Path) -> bool {
        let ending = path.extension();
        ending.is_some_and(|e| self.endings.iter().any(|own| e.eq_ignore_ascii_case(own)))
    }
}

/// Reads all files that a source names.
pub(super) struct Reader<'a> {
    pub source: &'a SourceConfig,
    pub format: &'static Format,
    pub on_error: OnError,
}

impl Reader<'_> {
    /// The photos, sorted by the names of their files, and how many files there are.
    pub(super) fn read(&self, report: &mut Report) -> Result<(Vec<Listed>, usize)> {
        let list = &self.source.list;
        let (root, files) = self.files(&mut Faults::new(list, self.on_error, report))?;
        let mut beside = Beside::new(root, &self.source.images);
        let mut photos = Vec::with_capacity(files.len());
        for file in &files {
            match self.photo(file, &mut beside) {
                Ok(photo) => photos.push(photo),
                Err((place, fault)) => {
                    Faults::new(file, self.on_error, report).found(place, fault)?;
                }
            }
        }
        Ok((photos, files.len()))
    }

    fn photo(&self, file: &Path, beside: &mut Beside<'_>) -> Result<Listed, (Place, Fault)> {
        let whole = |fault| (Place::Whole, fault);
        let faces = (self.format.parse)(file, &read(file).map_err(whole)?)?;
        let path = beside.photo_of(file, self.format.suffix).map_err(whole)?;
        Ok(Listed {
            name: beside.name_of(&path),
            list: file.into(),
            place: Place::Whole,
            units: self.format.units,
            faces,
            path,
        })
    }

    /// The files, sorted.
    ///
    /// # Errors
    /// When they cannot be listed, or there are none.
    pub(super) fn names(&self) -> Result<Vec<PathBuf>> {
        // Whoever reads the labels tells what is wrong with single ones.
        let mut report = Report::default();
        let faults = &mut Faults::new(&self.source.list, OnError::Skip, &mut report);
        Ok(self.files(faults)?.1)
    }

    /// The folder that they lie in, and the files, sorted: those of a folder and its subfolders, of a
    /// glob, or of a list.
    fn files(&self, faults: &mut Faults<'_>) -> Result<(PathBuf, Vec<PathBuf>)> {
        let list = &self.source.list;
        let (root, mut found) = if list.is_dir() {
            (list.clone(), self.in_folder(list, faults)?)
        } else if list.is_file() && !self.format.has(list) {
            let root = list.parent().unwrap_or(Path::new(""));
            let text = text::read(list)?;
            let named = list::lines(&text).map(|(_, name)| root.join(name));
            (root.to_owned(), named.collect())
        } else {
            (fixed_part(list), in_glob(list, faults)?)
        };
        let all = found.len();
        found.retain(|path| !path.file_name().is_some_and(imaging::is_sidecar));
        if found.len() < all {
            let sidecars = all - found.len();
            faults.note(&format!(
                "{sidecars} files that macOS keeps beside others (._*) left out"
            ));
        }
        ensure!(
            !found.is_empty(),
            "{}: no .{} files; give a folder that holds some, a glob, or a list of them",
            list.display(),
            self.format.endings.join(" or .")
        );
        found.sort();
        Ok((root, found))
    }

    fn in_folder(&self, folder: &Path, faults: &mut Faults<'_>) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in walkdir::WalkDir::new(folder).follow_links(true) {
            match entry {
                Ok(entry) => found.push(entry.into_path()),
                Err(error) if error.depth() == 0 => {
                    return Err(error).with_context(|| format!("cannot list {}", folder.display()));
                }
                Err(error) => {
                    let message = format!("cannot list {}: {error}", folder.display());
                    faults.left_out(Reason::Unreadable, message)?;
                }
            }
        }
        found.retain(|path| self.format.has(path));
        Ok(found)
    }
}

fn in_glob(list: &Path, faults: &mut Faults<'_>) -> Result<Vec<PathBuf>> {
    let pattern = list
        .to_str()
        .with_context(|| format!("{} is not valid UTF-8", list.display()))?;
    let paths = glob::glob(pattern)
        .with_context(|| format!("{pattern} is neither a folder, a list nor a glob"))?;
    let mut found = Vec::new();
    for path in paths {
        match path {
            Ok(path) => found.push(path),
            Err(error) => {
                let message = format!("cannot list {pattern}: {error}");
                faults.left_out(Reason::Unreadable, message)?;
            }
        }
    }
    Ok(found)
}

/// The folders of a glob in front of its first wildcard.
fn fixed_part(glob: &Path) -> PathBuf {
    let wild = |part: &std::ffi::OsStr| part.to_string_lossy().contains(['*', '?', '[']);
    let folders = glob.parent().unwrap_or(Path::new(""));
    let fixed = folders.components().take_while(|c| !wild(c.as_os_str()));
    fixed.collect()
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |text| Fault::new(Reason::Unreadable, text);
    // Opening a pipe would wait for a writer.
    if !file.is_file() {
        return Err(fault("not a regular file".into()));
    }
    let cannot = |e| fault(format!("cannot be read: {e}"));
    let bytes = file.metadata().map_err(cannot)?.len();
    if bytes > MAX_BYTES {
        return Err(fault(format!("{bytes} bytes are too many for labels")));
    }
    std::fs::read(file).map_err(cannot)
}

/// The text of a file.
pub(super) fn decode(bytes: &[u8]) -> Result<String, (Place, Fault)> {
    text::decode(bytes.to_vec())
        .map_err(|e| (e.line.into(), Fault::new(Reason::Unreadable, e.to_string())))
}

/// The files that the labels of a source are read from, in order: one, or one for each photo.
///
/// # Errors
/// When they cannot be listed, or there are none.
pub fn list_files(source: &SourceConfig) -> Result<Vec<PathBuf>> {
    match formats::Reader::of(source.kind) {
        formats::Reader::Files(format) => {
            let on_error = OnError::Skip;
            let reader = Reader {
                source,
                format,
                on_error,
            };
            reader.names()
        }
        _ => Ok(vec![source.list.clone()]),
    }
}
