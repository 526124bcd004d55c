//! What all list formats share: reading, numbers, faults with file and line.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};

use super::{FaceLabel, Reason, Report};
use crate::config::OnError;

/// One photo as a list names it, landmarks in the list's own scheme.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    /// Name, relative to the source's image folder.
    pub name: String,
    /// Line that names it first, from 1.
    pub line: usize,
    /// Its faces.
    pub faces: Vec<FaceLabel>,
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
        match self.on_error {
            OnError::Fail => Err(anyhow!(
                "{message} (data.on_error: skip leaves such items out)"
            )),
            OnError::Skip => {
                self.report.skip(fault.reason, message);
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

/// The whole list as text.
pub(super) fn read(list: &Path) -> Result<String> {
    let bytes = std::fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|&&b| b == b'\n').count();
        anyhow!(
            "{}:{line}: not UTF-8 text, so not an annotation list",
            list.display()
        )
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
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
