//! The photo that belongs to a file of labels: it has the same name and lies beside it, or at the same
//! place in another folder.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Reason;
use super::list::Fault;
use crate::imaging::{self, PHOTO_ENDINGS};

/// Folder of a video's points in 300-VW (Shen et al., "The First Facial Landmark Tracking in-the-Wild
/// Challenge", 2015): `NAME/annot/000001.pts` belongs to the first frame of `NAME/vid.avi`.
const OF_VIDEO: &str = "annot";
/// Where the frames may be, from there.
const FRAMES: [&str; 2] = ["frames", ""];
const VIDEO_ENDINGS: [&str; 5] = ["avi", "mp4", "mov", "mkv", "wmv"];

/// Finds photos, and keeps in mind what lies in the folders looked into.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    /// Folder that the files of labels lie in.
    root: PathBuf,
    /// Folder that the photos lie in; empty: that of the labels.
    images: &'a Path,
    folders: HashMap<PathBuf, Photos>,
}

/// By what their names have in common with those of their companions: no ending, small letters.
type Photos = HashMap<String, Vec<PathBuf>>;

impl<'a> Beside<'a> {
    pub(super) fn new(root: PathBuf, images: &'a Path) -> Self {
        Self {
            root,
            images,
            folders: HashMap::new(),
        }
    }

    /// A photo's name: its path within its folder.
    pub(super) fn name_of(&self, photo: &Path) -> String {
        let apart = !self.images.as_os_str().is_empty();
        let root = if apart { self.images } else { &self.root };
        photo
            .strip_prefix(root)
            .unwrap_or(photo)
            .to_string_lossy()
            .into()
    }

    /// The photo of `file`, whose name may have `suffix` behind the photo's.
    pub(super) fn photo_of(&mut self, file: &Path, suffix: &str) -> Result<PathBuf, Fault> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let stem = stem.strip_suffix(suffix).unwrap_or(&stem);
        if !self.images.as_os_str().is_empty() {
            let within = folder.strip_prefix(&self.root).unwrap_or(Path::new(""));
            let folder = self.images.join(within);
            return self.find(&folder, stem)?.ok_or_else(|| {
                missing(format!(
                    "no photo {stem} (jpg, png, ...) in {}",
                    folder.display()
                ))
            });
        }
        if let Some(photo) = self.find(folder, stem)? {
            return Ok(photo);
        }
        match folder.file_name() {
            Some(name) if name == OF_VIDEO => self.frame(&folder.with_file_name(""), stem),
            _ => Err(missing(
                "no photo of the same name beside it (jpg, png, ...)",
            )),
        }
    }

    /// A frame of the video that `home` belongs to.
    fn frame(&mut self, home: &Path, stem: &str) -> Result<PathBuf, Fault> {
        for folder in FRAMES.map(|name| home.join(name)) {
            if folder.is_dir()
                && let Some(photo) = self.find(&folder, stem)?
            {
                return Ok(photo);
            }
        }
        let frames = home.join(FRAMES[0]);
        Err(missing(match video_in(home) {
            Some(video) => format!(
                "no frame {stem} (jpg, png, ...) in {0}; take them out of the video with: mkdir -p '{0}' && \
                 ffmpeg -i '{1}' -q:v 2 '{0}/%06d.jpg'",
                frames.display(),
                video.display()
            ),
            None => format!("no frame {stem} (jpg, png, ...) in {}", frames.display()),
        }))
    }

    /// Of several photos the one whose name is written the same way, and then the one whose ending
    /// stands first in [`PHOTO_ENDINGS`].
    fn find(&mut self, folder: &Path, stem: &str) -> Result<Option<PathBuf>, Fault> {
        let photos = self.folder(folder)?;
        let found = photos.get(&stem.to_lowercase());
        let found = || found.into_iter().flatten().filter(|path| path.is_file());
        let readable = found().filter_map(|path| {
            let rank = PHOTO_ENDINGS.iter().position(|&e| has_ending(path, e))?;
            Some((path.file_stem() != Some(OsStr::new(stem)), rank, path))
        });
        if let Some((.., path)) = readable.min() {
            return Ok(Some(path.clone()));
        }
        match found().next() {
            None => Ok(None),
            Some(other) => Err(Fault::new(
                Reason::BrokenPhoto,
                format!(
                    "its photo {} is of a kind that cannot be read; convert it to JPEG or PNG",
                    other.display()
                ),
            )),
        }
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

fn missing(text: impl Into<String>) -> Fault {
    Fault::new(Reason::MissingPhoto, text)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|own| own.eq_ignore_ascii_case(ending))
}

fn video_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(or_here(folder)).ok()?;
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| VIDEO_ENDINGS.iter().any(|e| has_ending(path, e)))
        .min()
}

fn or_here(folder: &Path) -> &Path {
    let here = folder.as_os_str().is_empty();
    if here { Path::new(".") } else { folder }
}

fn list(folder: &Path) -> std::io::Result<Photos> {
    let mut photos = Photos::new();
    for entry in std::fs::read_dir(or_here(folder))? {
        let name = entry?.file_name();
        let path = folder.join(&name);
        if is_photo(&name)
            && let Some(stem) = path.file_stem()
        {
            let key = stem.to_string_lossy().to_lowercase();
            photos.entry(key).or_default().push(path);
        }
    }
    Ok(photos)
}

fn is_photo(name: &OsStr) -> bool {
    let known = imaging::is_photo_name(name) || imaging::unreadable_ending(name).is_some();
    known && !imaging::is_sidecar(name)
}
