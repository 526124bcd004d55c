//! How the results in a folder came about: what resuming has to compare, so that no results of other
//! settings or other photos are mixed.
//!
//! A hidden file beside the record. Its first line holds the settings; each photo that is looked at
//! adds a line with its stamp. Later lines win.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::fs::write_atomic;

/// Name of the file.
pub(super) const NAME: &str = ".detections.made";

/// Settings that results depend on, by name, as text.
pub type Settings = BTreeMap<String, String>;

/// What tells whether a photo's file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    bytes: u64,
    /// Nanoseconds since 1970; 0 where the system does not know.
    modified: u64,
}

impl Stamp {
    /// Of the file as it is now; `None` when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        Some(Self::of_metadata(&path.metadata().ok()?))
    }

    /// Of an opened file.
    pub fn of_metadata(data: &Metadata) -> Self {
        let modified = data.modified().ok();
        let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Self {
            bytes: data.len(),
            modified: since.map_or(0, |since| since.as_nanos() as u64),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    image: String,
    #[serde(flatten)]
    stamp: Stamp,
}

/// Where the settings and stamps of the results in a folder are written.
#[derive(Debug)]
pub(super) struct Provenance {
    path: PathBuf,
    file: File,
}

/// The files that results are about, by name of the photo.
pub(super) type Stamps = HashMap<String, Stamp>;

impl Provenance {
    /// For results that begin now.
    pub(super) fn start(out: &Path, settings: &Settings) -> Result<Self> {
        Self::create(out, settings, &Stamps::new())
    }

    /// For results that go on; with the files that those so far are about.
    ///
    /// # Errors
    /// Names the settings that are not those of the earlier results.
    pub(super) fn resume(out: &Path, settings: &Settings) -> Result<(Self, Stamps)> {
        let path = out.join(NAME);
        let (earlier, stamps) = read(&path)
            .with_context(|| format!("cannot tell how the results in {} were made", out.display()))
            .context("they cannot be resumed; replace them with --force")?;
        let mut changed = Vec::new();
        for (name, now) in settings {
            if let Some(then) = earlier.get(name).filter(|&then| then != now) {
                changed.push(format!("{name} was {then}, is {now}"));
            }
        }
        if !changed.is_empty() {
            bail!(
                "the results in {} were made with other settings ({}): resume with the same ones, choose \
                 another --out, or replace them with --force",
                out.display(),
                changed.join("; ")
            );
        }
        let mut all = earlier;
        all.extend(settings.clone());
        Ok((Self::create(out, &all, &stamps)?, stamps))
    }

    fn create(out: &Path, settings: &Settings, stamps: &Stamps) -> Result<Self> {
        let path = out.join(NAME);
        write_atomic(&path, |file| {
            serde_json::to_writer(&mut *file, settings)?;
            file.write_all(b"\n")?;
            let mut lines = stamps.iter().map(|(image, &stamp)| line(image, stamp));
            lines.try_for_each(|line| Ok(file.write_all(&line?)?))
        })?;
        let file = OpenOptions::new().append(true).open(&path);
        Ok(Self {
            file: file.with_context(|| format!("cannot write {}", path.display()))?,
            path,
        })
    }

    /// Remember the file that the result of a photo is about.
    pub(super) fn add(&mut self, image: &str, stamp: Stamp) -> Result<()> {
        let line = line(image, stamp)?;
        self.file
            .write_all(&line)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn line(image: &str, stamp: Stamp) -> Result<Vec<u8>> {
    let image = image.to_owned();
    let mut line = serde_json::to_vec(&Line { image, stamp })?;
    line.push(b'\n');
    Ok(line)
}

/// A line that a kill has torn, or that is not ours, tells nothing: its photo is looked at again.
fn read(path: &Path) -> Result<(Settings, Stamps)> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines = text.lines();
    let settings = serde_json::from_str(lines.next().unwrap_or_default())
        .with_context(|| path.display().to_string())?;
    let lines = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
    Ok((
        settings,
        lines.map(|line| (line.image, line.stamp)).collect(),
    ))
}
