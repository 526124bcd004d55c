//! What a run leaves to look at later: CSV tables and TensorBoard files.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tensorboard::{self, Event, EventWriter};
use crate::fs::write_atomic;

/// Named numbers of one row; not finite ones are empty cells.
pub type Row = [(String, f64)];

/// Where a checkpoint stands, from which a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Optimiser steps done.
    pub step: usize,
    /// Epochs finished, with everything that follows one.
    pub epochs: usize,
}

impl Stand {
    /// Whether a row was written before the checkpoint. One that sums up an `epoch` is written
    /// after that epoch's last step, at a time when the epoch is not finished yet.
    fn knows(&self, step: usize, epoch: Option<f64>) -> bool {
        step <= self.step && epoch.is_none_or(|epoch| epoch <= self.epochs as f64)
    }

    fn knows_event(&self, event: &Event) -> bool {
        let values = event.summary.iter().flat_map(|summary| &summary.value);
        let epoch = values.filter(|v| !v.tag.starts_with(STEPS) && v.tag.ends_with("/epoch"));
        let epoch = epoch.filter_map(|v| v.simple_value).next();
        usize::try_from(event.step).is_ok_and(|step| self.knows(step, epoch.map(f64::from)))
    }
}

/// Group of the figures of single steps in TensorBoard.
const STEPS: &str = "train";

/// The logs of a run: `steps.csv`, `epochs.csv`, `validation.csv` and `tensorboard/`.
#[derive(Debug)]
pub struct RunLog {
    steps: Table,
    epochs: Table,
    validation: Table,
    events: EventWriter,
}

impl RunLog {
    /// Open the logs in `out`. What they hold beyond the `stand` that the run continues from was
    /// written by the part of it that is lost, and is dropped. `None` starts anew.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(out: &Path, stand: Option<Stand>) -> Result<Self> {
        let table = |name: &str, rows| Table::open(out.join(name), rows, stand);
        let events = out.join("tensorboard");
        tensorboard::keep_events(&events, |event| {
            stand.is_some_and(|stand| stand.knows_event(event))
        })?;
        Ok(Self {
            steps: table("steps.csv", Rows::Steps)?,
            epochs: table("epochs.csv", Rows::Epochs)?,
            validation: table("validation.csv", Rows::Epochs)?,
            events: EventWriter::create(&events, stand.map(|stand| stand.step))?,
        })
    }

    /// Figures of one optimiser step.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn step(&mut self, step: usize, row: &Row) -> Result<()> {
        self.steps.append(step, row)?;
        self.scalars(STEPS, step, row)
    }

    /// Averages of one epoch.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn epoch(&mut self, step: usize, row: &Row) -> Result<()> {
        self.epochs.append(step, row)?;
        self.scalars("epoch", step, row)
    }

    /// Figures of one validation.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn validation(&mut self, step: usize, row: &Row) -> Result<()> {
        self.validation.append(step, row)?;
        self.scalars("validation", step, row)
    }

    fn scalars(&mut self, group: &str, step: usize, row: &Row) -> Result<()> {
        let tags: Vec<(String, f64)> = row
            .iter()
            .map(|(name, number)| (format!("{group}/{name}"), *number))
            .collect();
        self.events.scalars(step, &tags)
    }
}

/// What the rows of a table are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    Steps,
    Epochs,
}

/// A CSV file whose first column is the step and whose header comes with the first row.
#[derive(Debug)]
struct Table {
    path: PathBuf,
    header: Vec<String>,
    writer: Option<csv::Writer<File>>,
}

impl Table {
    fn open(path: PathBuf, rows: Rows, stand: Option<Stand>) -> Result<Self> {
        let header = match stand {
            Some(stand) if path.exists() => keep_known_rows(&path, rows, stand)?,
            _ => {
                if path.exists() {
                    std::fs::remove_file(&path)
                        .with_context(|| format!("cannot remove {}", path.display()))?;
                }
                Vec::new()
            }
        };
        Ok(Self {
            path,
            header,
            writer: None,
        })
    }

    fn append(&mut self, step: usize, row: &Row) -> Result<()> {
        let path = self.path.clone();
        self.try_append(step, row)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn try_append(&mut self, step: usize, row: &Row) -> Result<()> {
        let is_new = self.header.is_empty();
        if is_new {
            self.header = std::iter::once("step")
                .chain(row.iter().map(|(name, _)| name.as_str()))
                .map(str::to_owned)
                .collect();
        }
        let cells: Vec<String> = std::iter::once(step.to_string())
            .chain(self.header.iter().skip(1).map(|name| cell(row, name)))
            .collect();
        if self.writer.is_none() {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)?;
            self.writer = Some(csv::Writer::from_writer(file));
        }
        if let Some(writer) = &mut self.writer {
            if is_new {
                writer.write_record(&self.header)?;
            }
            writer.write_record(&cells)?;
            writer.flush()?;
        }
        Ok(())
    }
}

/// The cell of column `name`: empty when the row lacks it or it is not a number.
fn cell(row: &Row, name: &str) -> String {
    let found = row.iter().find(|(n, _)| n == name);
    let number = found.map(|(_, number)| number).filter(|n| n.is_finite());
    // Seven digits say all that was computed in f32.
    number.map_or_else(String::new, |n| (*n as f32).to_string())
}

/// Rewrite the table without torn rows and those that the checkpoint does not know; gives its
/// header.
fn keep_known_rows(path: &Path, rows: Rows, stand: Stand) -> Result<Vec<String>> {
    let context = || format!("cannot read {}", path.display());
    let mut text = std::fs::read(path).with_context(context)?;
    // A row without its end may lack digits too.
    let whole = text
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |end| end + 1);
    text.truncate(whole);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_slice());
    let header = reader.headers().with_context(context)?.clone();
    let epoch = match rows {
        Rows::Steps => None,
        Rows::Epochs => header.iter().position(|name| name == "epoch"),
    };
    let mut kept = Vec::new();
    for record in reader.records() {
        let record = record.with_context(context)?;
        let step = record.get(0).and_then(|cell| cell.parse().ok());
        let epoch = epoch.and_then(|at| record.get(at)?.parse().ok());
        if record.len() == header.len() && step.is_some_and(|step| stand.knows(step, epoch)) {
            kept.push(record);
        }
    }
    write_atomic(path, |out| {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&header)?;
        for record in &kept {
            writer.write_record(record)?;
        }
        Ok(writer.flush()?)
    })?;
    Ok(header.iter().map(str::to_owned).collect())
}
