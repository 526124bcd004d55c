//! What a run leaves to look at later: CSV tables and TensorBoard files.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tensorboard::EventWriter;
use crate::fs::write_atomic;

/// Named numbers of one row; not finite ones are empty cells.
pub type Row = [(String, f64)];

/// The logs of a run: `steps.csv`, `epochs.csv`, `validation.csv` and `tensorboard/`.
#[derive(Debug)]
pub struct RunLog {
    steps: Table,
    epochs: Table,
    validation: Table,
    events: EventWriter,
}

impl RunLog {
    /// Open the logs in `out`. `resumed_at` is the step that the run continues after: rows beyond
    /// it, written by the part of the run that was lost, are dropped. `None` starts anew.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(out: &Path, resumed_at: Option<usize>) -> Result<Self> {
        let table = |name: &str| Table::open(out.join(name), resumed_at);
        Ok(Self {
            steps: table("steps.csv")?,
            epochs: table("epochs.csv")?,
            validation: table("validation.csv")?,
            events: EventWriter::create(&out.join("tensorboard"), resumed_at)?,
        })
    }

    /// Figures of one optimiser step.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn step(&mut self, step: usize, row: &Row) -> Result<()> {
        self.steps.append(step, row)?;
        self.scalars("train", step, row)
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

/// A CSV file whose first column is the step and whose header comes with the first row.
#[derive(Debug)]
struct Table {
    path: PathBuf,
    header: Vec<String>,
    writer: Option<csv::Writer<File>>,
}

impl Table {
    fn open(path: PathBuf, resumed_at: Option<usize>) -> Result<Self> {
        let header = match resumed_at {
            Some(step) if path.exists() => drop_rows_after(&path, step)?,
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

/// Rewrite the table without the rows after `step` and without torn ones; gives its header.
fn drop_rows_after(path: &Path, step: usize) -> Result<Vec<String>> {
    let context = || format!("cannot read {}", path.display());
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .with_context(context)?;
    let header = reader.headers().with_context(context)?.clone();
    let mut kept = Vec::new();
    for record in reader.records() {
        let record = record.with_context(context)?;
        let row_step = record.get(0).and_then(|cell| cell.parse::<usize>().ok());
        if record.len() == header.len() && row_step.is_some_and(|s| s <= step) {
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
