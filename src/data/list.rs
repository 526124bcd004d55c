//! What all list formats share: reading, numbers, faults with file and line.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Result, anyhow};

use super::{FaceLabel, Reason, Report};
use crate::config::OnError;

/// One photo as a list names it, landmarks in the list's own scheme.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    /// Name, relative to the source's image folder.
    pub name: String,
    /// The photo's file.
    pub path: PathBuf,
    /// The list.
    pub list: Arc<Path>,
    /// Line of `list` that names the photo first, from 1.
    pub line: usize,
    /// Its faces.
    pub faces: Vec<ListedFace>,
}

/// One face as a list describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListedFace {
    /// Its line, from 1.
    pub line: usize,
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

    /// A photo that `line` names.
    pub(super) fn photo(&self, name: &str, line: usize, faces: Vec<ListedFace>) -> Listed {
        Listed {
            name: name.to_owned(),
            path: self.images.join(name),
            list: Arc::clone(&self.path),
            line,
            faces,
        }
    }
}

/// Something wrong with a line.
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

    /// Fail with, or count, what is wrong in `line`.
    pub(super) fn found(&mut self, line: usize, fault: Fault) -> Result<()> {
        let message = format!("{}:{line}: {}", self.list.display(), fault.text);
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

/// All numbers of a line.
pub(super) fn numbers(line: &str) -> Result<Vec<f32>, Fault> {
    line.split_whitespace().map(number).collect()
}
