//! What all list formats share: reading, numbers, faults with file and line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Result, anyhow};

use super::{FaceLabel, Reason, Report};
use crate::config::OnError;
use crate::geometry::{BoxXyxy, Point};

/// One photo as a list names it, landmarks in the list's own scheme.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    /// Name, relative to the source's image folder.
    pub name: String,
    /// The photo's file.
    pub path: PathBuf,
    /// The list.
    pub list: Arc<Path>,
    /// Where `list` names the photo first.
    pub place: Place,
    /// What the numbers of its faces count.
    pub units: Units,
    /// Its faces.
    pub faces: Vec<ListedFace>,
}

impl Listed {
    /// Bring the faces into pixels of the photo, which has `[width, height]` of them.
    pub(super) fn scale_to(&mut self, [width, height]: [u32; 2]) {
        if self.units == Units::Pixels {
            return;
        }
        self.units = Units::Pixels;
        let scale = |[x, y]: Point| [x * width as f32, y * height as f32];
        for ListedFace { label, .. } in &mut self.faces {
            let [x1, y1, x2, y2] = label.box_xyxy.into();
            let [[x1, y1], [x2, y2]] = [[x1, y1], [x2, y2]].map(scale);
            label.box_xyxy = BoxXyxy::new(x1, y1, x2, y2);
            label.landmarks = label.landmarks.map(scale);
        }
    }
}

/// What the numbers of labels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Units {
    /// Pixels of the photo.
    Pixels,
    /// Widths of the photo in x, heights in y.
    Shares,
}

/// Where in a list something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A line, from 1.
    Line(usize),
    /// An element of this array, from 0.
    Item(&'static str, usize),
    /// The file as a whole.
    Whole,
}

impl Place {
    /// `line 3` or `annotations[2]`.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Line(line) => format!("line {line}"),
            Self::Item(array, index) => format!("{array}[{index}]"),
            Self::Whole => "the whole file".into(),
        }
    }
}

impl From<usize> for Place {
    fn from(line: usize) -> Self {
        Self::Line(line)
    }
}

/// As it follows the name of the file.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, ":{line}"),
            Self::Item(array, index) => write!(f, ":{array}[{index}]"),
            Self::Whole => Ok(()),
        }
    }
}

/// One face as a list describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListedFace {
    /// Where it stands.
    pub place: Place,
    /// What stands there.
    pub label: FaceLabel,
}

/// A list that is being read.
#[derive(Clone, Debug)]
pub(super) struct List<'a> {
    /// The file.
    pub path: Arc<Path>,
    /// Folder that its names are relative to.
    pub images: &'a Path,
}

impl<'a> List<'a> {
    pub(super) fn new(path: &Path, images: &'a Path) -> Self {
        let path = path.into();
        Self { path, images }
    }

    /// A photo that is named at `place`, its labels in pixels.
    pub(super) fn photo(
        &self,
        name: &str,
        place: impl Into<Place>,
        faces: Vec<ListedFace>,
    ) -> Listed {
        Listed {
            name: name.to_owned(),
            path: self.images.join(name),
            list: Arc::clone(&self.path),
            place: place.into(),
            units: Units::Pixels,
            faces,
        }
    }
}

/// Something wrong at a place.
#[derive(Debug)]
pub(super) struct Fault {
    /// Kind, for counting.
    pub reason: Reason,
    /// What is wrong and what was expected.
    pub text: String,
}

impl Fault {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { reason, text }
    }
}

/// Where faults of one list go: the first one is an error, or all are counted.
pub(super) struct Faults<'a> {
    list: &'a Path,
    on_error: OnError,
    report: &'a mut Report,
}

impl<'a> Faults<'a> {
    pub(super) const fn new(list: &'a Path, on_error: OnError, report: &'a mut Report) -> Self {
        Self {
            list,
            on_error,
            report,
        }
    }

    /// Fail with, or count, what is wrong at `place`.
    pub(super) fn found(&mut self, place: impl Into<Place>, fault: Fault) -> Result<()> {
        let place = place.into();
        let message = format!("{}{place}: {}", self.list.display(), fault.text);
        self.left_out(fault.reason, message)
    }

    /// Fail with, or count, what the whole `message` says.
    pub(super) fn left_out(&mut self, reason: Reason, message: String) -> Result<()> {
        match self.on_error {
            OnError::Fail => Err(anyhow!(
                "{message} (data.on_error: skip leaves such items out)"
            )),
            OnError::Skip => {
                self.report.skip(reason, message);
                Ok(())
            }
        }
    }

    /// Note something that is no fault.
    pub(super) fn note(&mut self, text: &str) {
        let note = format!("{}: {text}", self.list.display());
        self.report.notes.push(note);
    }
}

/// Lines with their numbers from 1, without surrounding blanks; empty lines left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(i, line)| (i + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty())
}

/// A finite number.
pub(super) fn number(token: &str) -> Result<f32, Fault> {
    let value = f32::from_str(token).map_err(|_| {
        let text = format!("`{token}` stands where a number is expected");
        Fault::new(Reason::Malformed, text)
    })?;
    if value.is_finite() {
        Ok(value)
    } else {
        let text = format!("`{token}` is not a finite number");
        Err(Fault::new(Reason::NotFinite, text))
    }
}

/// A WFLW attribute.
pub(super) fn flag(value: f32) -> Result<bool, Fault> {
    match value {
        0.0 => Ok(false),
        1.0 => Ok(true),
        _ => {
            let text = format!("attribute `{value}`; the six attributes are 0 or 1");
            Err(Fault::new(Reason::Malformed, text))
        }
    }
}

/// All numbers of a line.
pub(super) fn numbers(line: &str) -> Result<Vec<f32>, Fault> {
    line.split_whitespace().map(number).collect()
}
