//! `detections.jsonl`: written so that a kill at any moment loses at most the photos in flight.
//!
//! While a call runs, each finished photo adds one line to `detections.jsonl.part`. At the end the
//! lines are brought into the order of the input and `detections.jsonl` appears at once, complete.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::provenance::{self, Provenance, Settings, Stamp};
use super::{PhotoRecord, write_table};
use crate::fs::{LOCK_NAME, remove_unfinished, write_atomic};

/// The record of a call: one line a photo.
pub const RECORD: &str = "detections.jsonl";
/// The same record where the user did not ask for it; resuming needs it.
pub const RECORD_HIDDEN: &str = ".detections.jsonl";
/// The table of all faces.
pub const TABLE: &str = "detections.csv";
const PART: &str = "detections.jsonl.part";

/// The first file in `out` that an earlier call left there.
pub fn existing_record(out: &Path) -> Option<PathBuf> {
    [RECORD, TABLE, RECORD_HIDDEN, PART]
        .map(|name| out.join(name))
        .into_iter()
        .find(|path| path.symlink_metadata().is_ok())
}

/// Whether a file bears the name of one that a call keeps in its folder beside the pictures.
pub fn is_own_file(name: &OsStr) -> bool {
    [
        RECORD,
        RECORD_HIDDEN,
        TABLE,
        PART,
        provenance::NAME,
        LOCK_NAME,
    ]
    .iter()
    .any(|own| name == *own)
}

/// What is known of a photo that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Width and height of the upright photo.
    pub size: [u32; 2],
    /// Number of its faces.
    pub faces: usize,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    start: u64,
    length: usize,
    done: Done,
}

/// The lines written so far.
#[derive(Debug)]
pub struct Journal {
    out: PathBuf,
    part: File,
    end: u64,
    lines: HashMap<String, Line>,
    provenance: Provenance,
}

impl Journal {
    /// Begin in a folder without earlier results, or with `replace` forget them. `settings` are
    /// those that the results depend on.
    ///
    /// # Errors
    /// When the folder cannot be written, or holds results that may not be replaced.
    pub fn start(out: &Path, replace: bool, settings: &Settings) -> Result<Self> {
        if replace {
            for name in [RECORD, RECORD_HIDDEN, TABLE, PART, provenance::NAME] {
                remove(&out.join(name))?;
            }
            remove_unfinished(out);
        }
        std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        let path = out.join(PART);
        let part = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            out: out.to_owned(),
            part,
            end: 0,
            lines: HashMap::new(),
            provenance: Provenance::start(out, settings)?,
        })
    }

    /// Go on where an earlier call stopped; a half last line is dropped.
    ///
    /// # Errors
    /// When an earlier record cannot be read or holds other lines than ours, or was made with other
    /// `settings`.
    pub fn resume(out: &Path, settings: &Settings) -> Result<Self> {
        let earlier = [RECORD_HIDDEN, RECORD, PART].map(|name| out.join(name));
        let earlier: Vec<&PathBuf> = earlier.iter().filter(|path| path.exists()).collect();
        for record in &earlier {
            each_line(record, |_, _| Ok(()))?;
        }
        let provenance = match earlier.is_empty() {
            true => Provenance::start(out, settings)?,
            false => Provenance::resume(out, settings)?,
        };
        remove_unfinished(out);
        // Written anew and renamed: a kill while resuming loses nothing either.
        let path = out.join(PART);
        write_atomic(&path, |file| {
            for record in &earlier {
                copy_lines(record, file)?;
            }
            Ok(())
        })?;
        let part = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let mut journal = Self {
            out: out.to_owned(),
            part,
            end: 0,
            lines: HashMap::new(),
            provenance,
        };
        each_line(&path, |bytes, photo| {
            journal.note(&photo, bytes.len());
            Ok(())
        })?;
        Ok(journal)
    }

    /// What is known of the photo of this name, when it is done.
    pub fn done(&self, name: &str) -> Option<Done> {
        self.lines.get(name).map(|line| line.done)
    }

    /// The file that the result of a photo is about, as it was then.
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        self.provenance.stamp(name)
    }

    /// Drop the line of a photo: it is about a file that is not the same any more.
    pub fn forget(&mut self, name: &str) {
        self.lines.remove(name);
    }

    /// Add the line of a photo, in place of an earlier one, and the stamp of its file.
    ///
    /// # Errors
    /// When it cannot be written; what was written of it is taken back.
    pub fn append(&mut self, photo: &PhotoRecord, stamp: Option<Stamp>) -> Result<()> {
        if let Some(stamp) = stamp {
            self.provenance.add(&photo.image, stamp)?;
        }
        let mut line = serde_json::to_vec(photo)?;
        line.push(b'\n');
        if let Err(error) = self.part.write_all(&line) {
            // If this fails too, resuming drops the half line.
            let _ = self.part.set_len(self.end);
            return Err(error)
                .with_context(|| format!("cannot write {}", self.out.join(PART).display()));
        }
        self.note(photo, line.len());
        Ok(())
    }

    fn note(&mut self, photo: &PhotoRecord, length: usize) {
        let line = Line {
            start: self.end,
            length,
            done: Done {
                size: [photo.width, photo.height],
                faces: photo.faces.len(),
            },
        };
        self.lines.insert(photo.image.clone(), line);
        self.end += length as u64;
    }

    /// Bring the lines into the order of `names` (lines of photos not among them come first, as
    /// they came) and let the record appear: visibly if `visible` or if it was so before. With
    /// `table_points` the CSV table is made of it.
    ///
    /// # Errors
    /// When a file cannot be written; nothing that was recorded is lost then.
    pub fn finish<'a>(
        self,
        names: impl Iterator<Item = &'a str>,
        visible: bool,
        table_points: Option<usize>,
    ) -> Result<()> {
        let order: HashMap<&str, usize> = names.zip(1..).collect();
        let mut lines: Vec<(usize, Line)> = self
            .lines
            .iter()
            .map(|(name, line)| (order.get(name.as_str()).copied().unwrap_or(0), *line))
            .collect();
        lines.sort_unstable_by_key(|(place, line)| (*place, line.start));
        let texts = || lines.iter().map(|(_, line)| self.read(line));
        if let Some(points) = table_points {
            let photos = texts().map(|text| Ok(serde_json::from_slice(&text?)?));
            write_atomic(&self.out.join(TABLE), |file| {
                write_table(file, points, photos)
            })?;
        }
        let (record, hidden) = (self.out.join(RECORD), self.out.join(RECORD_HIDDEN));
        let visible = visible || record.exists();
        write_atomic(if visible { &record } else { &hidden }, |file| {
            for text in texts() {
                file.write_all(&text?)?;
            }
            Ok(())
        })?;
        if visible {
            remove(&hidden)?;
        }
        remove(&self.out.join(PART))
    }

    fn read(&self, line: &Line) -> Result<Vec<u8>> {
        let mut text = vec![0; line.length];
        let mut part = &self.part;
        part.seek(SeekFrom::Start(line.start))?;
        part.read_exact(&mut text)?;
        Ok(text)
    }
}

fn copy_lines(record: &Path, to: &mut impl Write) -> Result<()> {
    each_line(record, |bytes, _| {
        to.write_all(bytes)?;
        if !bytes.ends_with(b"\n") {
            to.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Every line of a record, with its end if it has one. A last line that is cut off is left out.
fn each_line(path: &Path, mut take: impl FnMut(&[u8], PhotoRecord) -> Result<()>) -> Result<()> {
    let mut read = || -> Result<()> {
        let mut file = BufReader::new(File::open(path)?);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if file.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            match serde_json::from_slice(&bytes) {
                Ok(photo) => take(&bytes, photo)?,
                Err(_) if !bytes.ends_with(b"\n") => break,
                Err(error) => bail!(
                    "line {number} is not one of ours ({error}); mend it, or start over with --force"
                ),
            }
        }
        Ok(())
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(name: &str, width: u32) -> PhotoRecord {
        PhotoRecord::new(name.into(), [width, 5], &[])
    }

    fn settings() -> Settings {
        Settings::from([("score".into(), "0.5".into())])
    }

    fn names(out: &Path) -> Vec<(String, u32)> {
        let text = std::fs::read_to_string(out.join(RECORD)).unwrap();
        let photos = text.lines().map(|l| serde_json::from_str(l).unwrap());
        photos.map(|p: PhotoRecord| (p.image, p.width)).collect()
    }

    #[test]
    fn lines_come_out_in_the_order_of_the_input() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::start(dir.path(), false, &settings()).unwrap();
        for name in ["c", "a", "b"] {
            journal.append(&photo(name, 1), None).unwrap();
        }
        assert!(!dir.path().join(RECORD).exists());
        journal
            .finish(["a", "b", "c"].into_iter(), true, None)
            .unwrap();
        assert_eq!(
            names(dir.path()),
            [("a".into(), 1), ("b".into(), 1), ("c".into(), 1)]
        );
        assert!(!dir.path().join(PART).exists());
    }

    #[test]
    fn a_killed_call_is_resumed_without_its_half_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::start(dir.path(), false, &settings()).unwrap();
        journal.append(&photo("a", 1), None).unwrap();
        journal.append(&photo("b", 1), None).unwrap();
        drop(journal);
        let part = dir.path().join(PART);
        let whole = std::fs::read(&part).unwrap();
        std::fs::write(&part, &whole[..whole.len() - 9]).unwrap();
        assert!(Journal::start(dir.path(), false, &settings()).is_err());
        let mut journal = Journal::resume(dir.path(), &settings()).unwrap();
        assert!(journal.done("a").is_some() && journal.done("b").is_none());
        journal.append(&photo("b", 2), None).unwrap();
        journal.finish(["a", "b"].into_iter(), true, None).unwrap();
        assert_eq!(names(dir.path()), [("a".into(), 1), ("b".into(), 2)]);
    }

    #[test]
    fn resuming_keeps_other_lines_and_replaces_redone_ones() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::start(dir.path(), false, &settings()).unwrap();
        journal.append(&photo("old", 1), None).unwrap();
        journal.append(&photo("a", 1), None).unwrap();
        journal
            .finish(["old", "a"].into_iter(), true, None)
            .unwrap();
        let mut journal = Journal::resume(dir.path(), &settings()).unwrap();
        journal.append(&photo("a", 2), None).unwrap();
        journal.finish(["a"].into_iter(), false, Some(0)).unwrap();
        assert_eq!(names(dir.path()), [("old".into(), 1), ("a".into(), 2)]);
        assert!(dir.path().join(TABLE).exists());
    }

    #[test]
    fn a_foreign_record_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(RECORD), "hello\nworld\n").unwrap();
        let error = format!(
            "{:#}",
            Journal::resume(dir.path(), &settings()).unwrap_err()
        );
        assert!(
            error.contains("line 1") && error.contains(RECORD),
            "{error}"
        );
        assert!(!dir.path().join(PART).exists());
        assert_eq!(existing_record(dir.path()), Some(dir.path().join(RECORD)));
    }
}
