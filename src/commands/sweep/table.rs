//! What came of a sweep's runs, as tables.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::grid::Axis;
use super::runs::{Run, State};
use crate::fs::write_atomic;

/// Figures that the markdown table shows, where a run has them; `sweep.csv` has all.
const SHOWN: [&str; 8] = [
    "epoch",
    "nme_joint",
    "nme_matched",
    "recall",
    "fr",
    "auc",
    "ap",
    "loss",
];

/// Figures by which runs are compared, the first that there is: shares of one are better small.
const COMPARED: [&str; 3] = ["nme_joint", "nme_matched", "loss"];

/// A run and its figures.
pub struct Row<'a> {
    run: &'a Run,
    figures: Vec<(String, String)>,
}

impl<'a> Row<'a> {
    /// Of a run as it stands.
    pub fn of(run: &'a Run) -> Self {
        Self {
            run,
            figures: run.figures(),
        }
    }

    fn figure(&self, name: &str) -> Option<&str> {
        let found = self.figures.iter().find(|(own, _)| own == name);
        found
            .map(|(_, cell)| cell.as_str())
            .filter(|cell| !cell.is_empty())
    }

    fn state(&self) -> String {
        match &self.run.state {
            State::New => "not begun".into(),
            State::Begun => "stopped".into(),
            State::Done => "done".into(),
            State::Failed(words) => {
                let reason = words.lines().next().unwrap_or_default();
                format!("failed: {}", reason.trim_start_matches("error: "))
            }
        }
    }
}

/// Write `sweep.md` and `sweep.csv` into `out`.
///
/// # Errors
/// When one cannot be written.
pub fn write(out: &Path, axes: &[Axis], rows: &[Row<'_>]) -> Result<()> {
    let text = markdown(out, axes, rows)?;
    write_atomic(&out.join("sweep.md"), |file| {
        Ok(file.write_all(text.as_bytes())?)
    })?;
    write_atomic(&out.join("sweep.csv"), |file| csv(file, out, axes, rows))
}

/// One line a run; for two axes also a square of the figure that is compared.
pub fn markdown(out: &Path, axes: &[Axis], rows: &[Row<'_>]) -> Result<String> {
    let shown: Vec<&str> = SHOWN
        .into_iter()
        .filter(|name| rows.iter().any(|row| row.figure(name).is_some()))
        .collect();
    let mut text = String::new();
    let keys = axes.iter().map(|axis| axis.key.as_str());
    let head: Vec<&str> = keys
        .chain(shown.iter().copied())
        .chain(["state", "folder"])
        .collect();
    line(&mut text, &head)?;
    line(&mut text, &vec!["---"; head.len()])?;
    for row in rows {
        let mut cells: Vec<String> = row
            .run
            .combination
            .0
            .iter()
            .map(|(_, v)| v.clone())
            .collect();
        cells.extend(shown.iter().map(|name| rounded(row.figure(name))));
        cells.extend([row.state(), folder(out, row.run)]);
        line(&mut text, &cells)?;
    }
    if let ([first, second], Some(name)) = (axes, compared(rows)) {
        square(&mut text, [first, second], name, rows)?;
    }
    Ok(text)
}

fn compared(rows: &[Row<'_>]) -> Option<&'static str> {
    let known = |name: &&str| rows.iter().any(|row| row.figure(name).is_some());
    COMPARED.into_iter().find(known)
}

fn square(
    text: &mut String,
    [first, second]: [&Axis; 2],
    name: &str,
    rows: &[Row<'_>],
) -> Result<()> {
    writeln!(
        text,
        "\n{name}: {} down, {} across\n",
        first.key, second.key
    )?;
    let mut head = vec![String::new()];
    head.extend(second.values.iter().cloned());
    line(text, &head)?;
    line(text, &vec!["---"; head.len()])?;
    for (value, rows) in first
        .values
        .iter()
        .zip(rows.chunks(second.values.len().max(1)))
    {
        let mut cells = vec![value.clone()];
        cells.extend(rows.iter().map(|row| match &row.run.state {
            State::Failed(_) => "failed".to_owned(),
            _ => rounded(row.figure(name)),
        }));
        line(text, &cells)?;
    }
    Ok(())
}

fn line(text: &mut String, cells: &[impl AsRef<str>]) -> Result<()> {
    for cell in cells {
        write!(text, "| {} ", cell.as_ref().replace('|', "\\|"))?;
    }
    Ok(writeln!(text, "|")?)
}

/// Five digits say what differs between runs.
fn rounded(cell: Option<&str>) -> String {
    match cell.map(|cell| (cell, cell.parse::<f64>())) {
        None => "–".into(),
        Some((_, Ok(number))) if number.fract() == 0.0 => format!("{number}"),
        Some((_, Ok(number))) => format!("{number:.5}"),
        Some((cell, Err(_))) => cell.to_owned(),
    }
}

fn folder(out: &Path, run: &Run) -> String {
    let own = run.folder.strip_prefix(out).unwrap_or(&run.folder);
    own.display().to_string()
}

fn csv(file: &mut dyn std::io::Write, out: &Path, axes: &[Axis], rows: &[Row<'_>]) -> Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.figures) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut writer = csv::Writer::from_writer(file);
    let keys = axes.iter().map(|axis| axis.key.as_str());
    let head = keys.chain(names.iter().copied()).chain(["state", "folder"]);
    writer.write_record(head)?;
    for row in rows {
        let mut cells: Vec<String> = row
            .run
            .combination
            .0
            .iter()
            .map(|(_, v)| v.clone())
            .collect();
        cells.extend(
            names
                .iter()
                .map(|name| row.figure(name).unwrap_or_default().to_owned()),
        );
        cells.extend([row.state(), folder(out, row.run)]);
        writer.write_record(&cells)?;
    }
    Ok(writer.flush()?)
}
