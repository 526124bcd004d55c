//! Tables of many runs or models, for people and for programs.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::fs::write_atomic;

/// A name and what stands under it; nothing where there is no figure.
pub(super) type Cell = (String, String);

/// One line of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// Words in front of the figures, under the same names in all records.
    pub before: Vec<Cell>,
    /// Numbers; a record need not have all that others have.
    pub figures: Vec<Cell>,
    /// Words behind them, likewise.
    pub after: Vec<Cell>,
}

impl Record {
    /// A figure, where there is one.
    pub fn figure(&self, name: &str) -> Option<&str> {
        let found = self.figures.iter().find(|(own, _)| own == name);
        found
            .map(|(_, cell)| cell.as_str())
            .filter(|cell| !cell.is_empty())
    }
}

/// Records under one head.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Clone, Debug, Serialize)]
struct Column {
    name: String,
    /// Whether its cells are numbers.
    figure: bool,
}

impl Table {
    /// With all figures that some record has.
    pub fn full(records: &[Record]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in records.iter().flat_map(|record| &record.figures) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        Self::with(records, &names)
    }

    /// With those of the figures `shown` that some record has.
    pub fn brief(records: &[Record], shown: &[&'static str]) -> Self {
        let known = |name: &&str| records.iter().any(|record| record.figure(name).is_some());
        let names: Vec<&str> = shown.iter().copied().filter(known).collect();
        Self::with(records, &names)
    }

    fn with(records: &[Record], names: &[&str]) -> Self {
        let column = |name: &str, figure| Column {
            name: name.to_owned(),
            figure,
        };
        let words = |cells: &[Cell]| -> Vec<Column> {
            cells.iter().map(|(name, _)| column(name, false)).collect()
        };
        let (before, after) = records.first().map_or_else(Default::default, |first| {
            (words(&first.before), words(&first.after))
        });
        let figures = names.iter().map(|name| column(name, true));
        Self {
            columns: before.into_iter().chain(figures).chain(after).collect(),
            rows: records.iter().map(|record| row(record, names)).collect(),
        }
    }

    /// As markdown, numbers rounded.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        line(&mut text, self.columns.iter().map(|column| &*column.name));
        line(&mut text, self.columns.iter().map(|_| "---"));
        for row in &self.rows {
            let cell = |(column, cell): (&Column, &String)| match column.figure {
                true => rounded(Some(cell)),
                false => cell.clone(),
            };
            line(&mut text, self.columns.iter().zip(row).map(cell));
        }
        text
    }

    /// Write it as CSV, numbers as they are.
    ///
    /// # Errors
    /// Names `path` when it cannot be written.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        write_atomic(path, |file| {
            let mut csv = csv::Writer::from_writer(file);
            csv.write_record(self.columns.iter().map(|column| &column.name))?;
            for row in &self.rows {
                csv.write_record(row)?;
            }
            Ok(csv.flush()?)
        })
    }
}

fn row(record: &Record, names: &[&str]) -> Vec<String> {
    let words =
        |cells: &[Cell]| -> Vec<String> { cells.iter().map(|(_, cell)| cell.clone()).collect() };
    let figure = |name: &&str| record.figure(name).unwrap_or_default().to_owned();
    let mut row = words(&record.before);
    row.extend(names.iter().map(figure));
    row.extend(words(&record.after));
    row
}

/// Add a line of a markdown table.
pub(super) fn line(text: &mut String, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    for cell in cells {
        let cell = cell.as_ref().replace('|', "\\|").replace('\n', " ");
        // Writing to a String does not fail.
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

/// Five digits say what differs between runs.
pub(super) fn rounded(cell: Option<&str>) -> String {
    match cell.map(|cell| (cell, cell.parse::<f64>())) {
        None | Some(("", _)) => "–".into(),
        Some((_, Ok(number))) if number.fract() == 0.0 => format!("{number}"),
        Some((_, Ok(number))) => format!("{number:.5}"),
        Some((cell, Err(_))) => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(pairs: &[(&str, &str)]) -> Vec<Cell> {
        let owned = |&(name, cell): &(&str, &str)| (name.to_owned(), cell.to_owned());
        pairs.iter().map(owned).collect()
    }

    fn records() -> [Record; 2] {
        let record = |run, figures: &[(&str, &str)], state| Record {
            before: cells(&[("run", run)]),
            figures: cells(figures),
            after: cells(&[("state", state)]),
        };
        [
            record("a|b", &[("nme", "0.1234567"), ("faces", "7")], "done"),
            record("c", &[("faces", ""), ("ap", "1")], "failed:\nno, \"file\""),
        ]
    }

    #[test]
    fn a_brief_table_is_rounded_and_a_full_one_is_not() {
        let records = records();
        let brief = Table::brief(&records, &["ap", "nme", "recall"]).markdown();
        assert_eq!(
            brief,
            "| run | ap | nme | state |\n| --- | --- | --- | --- |\n\
             | a\\|b | – | 0.12346 | done |\n| c | 1 | – | failed: no, \"file\" |\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        Table::full(&records).write_csv(&path).unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "run,nme,faces,ap,state\na|b,0.1234567,7,,done\nc,,,1,\"failed:\nno, \"\"file\"\"\"\n"
        );
    }
}
