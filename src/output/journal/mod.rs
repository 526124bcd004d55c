//! `detections.jsonl`: written so that a kill at any moment loses at most the photos in flight.
//!
//! While a call runs, each finished photo adds one line to `detections.jsonl.part`. At the end the
//! lines are brought into the order of the input and `detections.jsonl` appears at once, complete.
//! Where a photo stands in the input is known when it is met, so that of a line no more is kept in
//! memory than where it is.

mod files;
mod lines;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use self::files::{OF_A_CALL, PART, remove};
use self::lines::each_line;
use super::provenance::{Provenance, Settings, Stamp, Stamps};
use super::{Columns, PhotoRecord, Sources, write_gallery, write_table};
use crate::fs::{remove_unfinished, write_atomic};

pub use self::files::{GALLERY, RECORD, RECORD_HIDDEN, TABLE, existing_record, is_own_file};

/// What is known of a photo that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Width and height of the upright photo.
    pub size: [u32; 2],
    /// Number of its faces.
    pub faces: usize,
}

/// What an earlier call has left of a photo.
#[derive(Clone, Copy, Debug)]
pub struct Earlier {
    /// What it found.
    pub done: Done,
    /// The file that this is about, as it was then.
    pub stamp: Option<Stamp>,
    line: Line,
}

/// Where a line is in the part file.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: u64,
    /// So that the place of a line that is missing needs no room of its own.
    length: NonZeroU32,
}

/// The lines written so far.
#[derive(Debug)]
pub struct Journal {
    out: PathBuf,
    part: File,
    end: u64,
    /// By place in the input.
    lines: Vec<Option<Line>>,
    /// By name: what earlier calls have left of photos that this one has not met yet.
    earlier: HashMap<String, Earlier>,
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
            for name in OF_A_CALL {
                remove(&out.join(name))?;
            }
            remove_unfinished(out);
        }
        std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        let part = open_part(out, OpenOptions::new().create_new(true))?;
        Ok(Self::new(out, part, Provenance::start(out, settings)?))
    }

    /// Go on where an earlier call stopped; a half last line is dropped.
    ///
    /// # Errors
    /// When an earlier record cannot be read or holds other lines than ours, or was made with other
    /// `settings`.
    pub fn resume(out: &Path, settings: &Settings) -> Result<Self> {
        let records = [RECORD_HIDDEN, RECORD, PART].map(|name| out.join(name));
        let records: Vec<&PathBuf> = records.iter().filter(|path| path.exists()).collect();
        for record in &records {
            each_line(record, |_, _| Ok(()))?;
        }
        let (provenance, stamps) = match records.is_empty() {
            true => (Provenance::start(out, settings)?, Stamps::new()),
            false => Provenance::resume(out, settings)?,
        };
        remove_unfinished(out);
        let (mut earlier, mut end) = (HashMap::new(), 0);
        // Written anew and renamed: a kill while resuming loses nothing either.
        write_atomic(&out.join(PART), |file| {
            for record in &records {
                each_line(record, |bytes, photo| {
                    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                    file.write_all(text)?;
                    file.write_all(b"\n")?;
                    let line = Line::after(&mut end, text.len() + 1)?;
                    let left = Earlier {
                        done: Done::of(&photo),
                        stamp: stamps.get(&photo.image).copied(),
                        line,
                    };
                    earlier.insert(photo.image, left);
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        let part = open_part(out, &mut OpenOptions::new())?;
        Ok(Self {
            end,
            earlier,
            ..Self::new(out, part, provenance)
        })
    }

    fn new(out: &Path, part: File, provenance: Provenance) -> Self {
        Self {
            out: out.to_owned(),
            part,
            end: 0,
            lines: Vec::new(),
            earlier: HashMap::new(),
            provenance,
        }
    }

    /// What an earlier call has left of the photo of this name. Its line is dropped unless it is
    /// kept now.
    pub fn take(&mut self, name: &str) -> Option<Earlier> {
        self.earlier.remove(name)
    }

    /// Keep what was taken of the photo at `place` in the input, until there is another line.
    pub fn keep(&mut self, place: usize, earlier: &Earlier) {
        self.put(place, earlier.line);
    }

    /// Add the line of the photo at `place` in the input, in place of an earlier one, and the stamp
    /// of its file.
    ///
    /// # Errors
    /// When it cannot be written; what was written of it is taken back.
    pub fn append(
        &mut self,
        place: usize,
        photo: &PhotoRecord,
        stamp: Option<Stamp>,
    ) -> Result<()> {
        if let Some(stamp) = stamp {
            self.provenance.add(&photo.image, stamp)?;
        }
        let mut text = serde_json::to_vec(photo)?;
        text.push(b'\n');
        if let Err(error) = self.part.write_all(&text) {
            // If this fails too, resuming drops the half line.
            let _ = self.part.set_len(self.end);
            return Err(error)
                .with_context(|| format!("cannot write {}", self.out.join(PART).display()));
        }
        let line = Line::after(&mut self.end, text.len())?;
        self.put(place, line);
        Ok(())
    }

    fn put(&mut self, place: usize, line: Line) {
        if place >= self.lines.len() {
            self.lines.resize(place + 1, None);
        }
        self.lines[place] = Some(line);
    }

    /// Bring the lines into the order of the input and let the record appear: visibly if `visible`
    /// or if it was so before. `pages` are made of it.
    ///
    /// Lines of photos that were not met stay in the order in which they came: in front where
    /// `all_met`, since they are not of this input then, else behind, where most of them belong.
    ///
    /// # Errors
    /// When a file cannot be written; nothing that was recorded is lost then.
    pub fn finish(self, all_met: bool, visible: bool, pages: &[Page<'_>]) -> Result<()> {
        let mut others: Vec<Line> = self.earlier.values().map(|left| left.line).collect();
        others.sort_unstable_by_key(|line| line.start);
        let (front, back) = others.split_at(if all_met { others.len() } else { 0 });
        let met = self.lines.iter().flatten();
        let texts = || {
            let all = front.iter().chain(met.clone()).chain(back);
            all.map(|line| self.read(line))
        };
        for page in pages {
            let photos = texts().map(|text| Ok(serde_json::from_slice(&text?)?));
            write_atomic(&self.out.join(page.name()), |file| page.write(file, photos))?;
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
        let mut text = vec![0; line.length.get() as usize];
        let mut part = &self.part;
        part.seek(SeekFrom::Start(line.start))?;
        part.read_exact(&mut text)?;
        Ok(text)
    }
}

/// What is made of all lines at the end.
#[derive(Clone, Copy)]
pub enum Page<'a> {
    /// [`TABLE`].
    Table(Columns),
    /// [`GALLERY`].
    Gallery(&'a dyn Sources),
}

impl Page<'_> {
    /// Its file.
    const fn name(&self) -> &'static str {
        match self {
            Self::Table(_) => TABLE,
            Self::Gallery(_) => GALLERY,
        }
    }

    fn write(
        &self,
        file: impl Write,
        photos: impl Iterator<Item = Result<PhotoRecord>>,
    ) -> Result<()> {
        match self {
            Self::Table(columns) => write_table(file, *columns, photos),
            Self::Gallery(sources) => write_gallery(file, *sources, photos),
        }
    }
}

impl Done {
    fn of(photo: &PhotoRecord) -> Self {
        Self {
            size: [photo.width, photo.height],
            faces: photo.faces.len(),
        }
    }
}

impl Line {
    /// The next line of a file of `end` bytes, which it makes longer by `length`.
    fn after(end: &mut u64, length: usize) -> Result<Self> {
        let line = Self {
            start: *end,
            length: NonZeroU32::try_from(u32::try_from(length).context("a line of 4 GiB")?)?,
        };
        *end += u64::from(line.length.get());
        Ok(line)
    }
}

fn open_part(out: &Path, options: &mut OpenOptions) -> Result<File> {
    let path = out.join(PART);
    let part = options.read(true).append(true).open(&path);
    part.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
