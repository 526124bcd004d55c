//! Crops on disk.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use image::RgbImage;
use image::codecs::png::PngEncoder;

use super::Options;
use crate::data::{FaceLabel, crop_text};
use crate::fs::{self, FolderLock};

/// What a photo's crops are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Training.
    Train,
    /// Validation.
    Validation,
}

impl Part {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Train, Self::Validation];

    /// Name of its folder, and of its list without the ending.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
        }
    }
}

/// The folder that crops go to, of one program at a time: `train/`, `val/`, and last of all the lists
/// `train.txt` and `val.txt`, so that what has a list is complete.
#[derive(Debug)]
pub struct Folder {
    out: PathBuf,
    _lock: FolderLock,
}

impl Folder {
    /// Take the folder, which is made if it is not there.
    ///
    /// # Errors
    /// When it has lists already, unless they may be replaced, another program has it, or it cannot
    /// be written to.
    pub fn take(out: &Path, replace: bool) -> Result<Self> {
        fs::check_folder(out)?;
        let folder = Self {
            _lock: FolderLock::take(out)?,
            out: out.to_owned(),
        };
        for list in Part::ALL.map(|part| folder.list(part)) {
            if list.exists() {
                ensure!(
                    replace,
                    "{} exists already: choose another --out, or replace it with --force",
                    list.display()
                );
                std::fs::remove_file(&list)?;
            }
        }
        fs::remove_unfinished(out);
        Ok(folder)
    }

    /// The list of a part.
    pub fn list(&self, part: Part) -> PathBuf {
        self.out.join(part.name()).with_extension("txt")
    }

    /// Write the crop called `name` with its points; gives its line in the list of `part`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn crop(
        &self,
        part: Part,
        name: &str,
        picture: &RgbImage,
        face: &FaceLabel,
        options: &Options,
    ) -> Result<String> {
        let place = |ending: &str| format!("{}/{name}.{ending}", part.name());
        fs::write_atomic_unsynced(&self.out.join(place("png")), |file| {
            Ok(picture.write_with_encoder(PngEncoder::new(file))?)
        })?;
        for &range in &options.ranges {
            let text = crop_text(face, options.side as f32, range);
            let path = self.out.join(place(range.ending()));
            fs::write_atomic_unsynced(&path, |file| Ok(file.write_all(text.as_bytes())?))?;
        }
        let listed = options.ranges.first().map_or("png", |range| range.ending());
        Ok(place(listed) + "\n")
    }

    /// Write the list of a part, unless it has no lines.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self, part: Part, lines: &[String]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        fs::write_atomic(&self.list(part), |file| {
            let mut lines = lines.iter();
            lines.try_for_each(|line| Ok(file.write_all(line.as_bytes())?))
        })
    }
}
