//! What came of a sweep's runs, as tables.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::grid::Axis;
use super::runs::{Run, State};
use crate::commands::table::{self, Record, Table};
use crate::fs::write_atomic;

/// Figures that the markdown table shows, where a run has them; `sweep.csv` has all.
const SHOWN: [&str; 9] = [
    "epoch",
    "nme_joint",
    "nme_matched",
    "recall",
    "fr",
    "auc",
    "pose/mean",
    "ap",
    "loss",
];

/// Figures by which runs are compared, the first that there is: shares of one are better small.
const COMPARED: [&str; 3] = ["nme_joint", "nme_matched", "loss"];

/// Write `sweep.md` and `sweep.csv` into `out`; gives what the former says.
///
/// # Errors
/// When one cannot be written.
pub fn write(out: &Path, axes: &[Axis], runs: &[Run]) -> Result<String> {
    let records: Vec<Record> = runs.iter().map(|run| record(out, run)).collect();
    let text = markdown(axes, runs, &records);
    write_atomic(&out.join("sweep.md"), |file| {
        Ok(file.write_all(text.as_bytes())?)
    })?;
    Table::full(&records).write_csv(&out.join("sweep.csv"))?;
    Ok(text)
}

fn record(out: &Path, run: &Run) -> Record {
    let folder = run.folder.strip_prefix(out).unwrap_or(&run.folder);
    Record {
        before: run.combination.0.clone(),
        figures: run.figures.clone(),
        after: vec![
            ("state".into(), state(run)),
            ("folder".into(), folder.display().to_string()),
        ],
    }
}

fn state(run: &Run) -> String {
    match &run.state {
        State::New => "not begun".into(),
        State::Begun => "stopped".into(),
        State::Done => "done".into(),
        State::Failed(words) => {
            let reason = words.lines().next().unwrap_or_default();
            format!("failed: {}", reason.trim_start_matches("error: "))
        }
    }
}

/// One line a run; for two axes also a square of the figure that is compared.
fn markdown(axes: &[Axis], runs: &[Run], records: &[Record]) -> String {
    let mut text = Table::brief(records, &SHOWN).markdown();
    let known = |name: &&str| records.iter().any(|record| record.figure(name).is_some());
    if let ([first, second], Some(name)) = (axes, COMPARED.into_iter().find(known)) {
        let cell = |(run, record): (&Run, &Record)| match &run.state {
            State::Failed(_) => "failed".to_owned(),
            _ => table::rounded(record.figure(name)),
        };
        let cells: Vec<String> = runs.iter().zip(records).map(cell).collect();
        square(&mut text, [first, second], name, &cells);
    }
    text
}

fn square(text: &mut String, [first, second]: [&Axis; 2], name: &str, cells: &[String]) {
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "\n{name}: {} down, {} across\n",
        first.key, second.key
    );
    let head = [String::new()].into_iter().chain(second.values.clone());
    table::line(text, head);
    table::line(text, vec!["---"; second.values.len() + 1]);
    let rows = cells.chunks(second.values.len().max(1));
    for (value, row) in first.values.iter().zip(rows) {
        table::line(text, [value].into_iter().chain(row));
    }
}
