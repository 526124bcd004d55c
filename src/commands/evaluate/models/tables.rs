//! What came of many models, as tables and as a plot.

use std::path::Path;

use anyhow::{Error, Result};

use super::find::Run;
use crate::commands::evaluate::measure::Measurement;
use crate::commands::evaluate::write;
use crate::commands::table::{Cell, Record, Table};
use crate::evaluation::Curve;

/// Figures that the markdown table shows, where a model has them; the others have all.
const SHOWN: [&str; 9] = [
    "faces",
    "recall",
    "nme_joint",
    "nme_matched",
    "nme_median",
    "fr",
    "auc",
    "pose/mean",
    "ap",
];

/// The page, but for its table.
const PAGE: &str = include_str!("page.html");
/// Where in the page the table goes.
const PLACE: &str = "\"TABLE\"";

/// A model, measured or not.
#[derive(Clone, Debug)]
pub struct Line {
    folder: String,
    file: String,
    record: Record,
    /// The mean error in the joint protocol; none where no face has landmarks.
    error: Option<f64>,
    /// Of each face.
    errors: Vec<f64>,
    /// Why it was not measured.
    reason: Option<String>,
}

impl Line {
    /// Of a model and its figures.
    pub fn measured(run: &Run, measured: &Measurement) -> Self {
        let report = &measured.outcome.report;
        let mut figures = vec![("photos".to_owned(), report.photos.to_string())];
        let faces = report.alignment.as_ref().map(|a| a.all.faces.to_string());
        figures.extend(faces.map(|faces| ("faces".to_owned(), faces)));
        figures.extend(report.figures().into_iter().map(number));
        let lists = measured.sources.iter();
        let lists: Vec<String> = lists.map(|s| s.list.display().to_string()).collect();
        let mut line = Self::new(run, figures, None);
        line.record.before.extend([
            word("data", lists.join(" + ")),
            word("boxes", write::boxes_name(measured.settings.boxes)),
        ]);
        line.error = report.nme_joint();
        line.errors = measured.outcome.errors();
        line
    }

    /// Of a model that cannot be loaded or measured.
    pub fn failed(run: &Run, error: &Error) -> Self {
        let mut line = Self::new(run, Vec::new(), Some(format!("{error:#}")));
        line.record
            .before
            .extend([word("data", ""), word("boxes", "")]);
        line
    }

    fn new(run: &Run, figures: Vec<Cell>, reason: Option<String>) -> Self {
        let folder = run.name.display().to_string();
        let file = run.weights.as_deref().and_then(Path::file_name);
        let file = file.unwrap_or_default().to_string_lossy().into_owned();
        let record = Record {
            before: vec![word("folder", &*folder), word("weights", &*file)],
            figures,
            after: vec![word("not measured", reason.clone().unwrap_or_default())],
        };
        Self {
            folder,
            file,
            record,
            error: None,
            errors: Vec::new(),
            reason,
        }
    }

    /// Whether it could not be measured.
    pub const fn has_failed(&self) -> bool {
        self.reason.is_some()
    }

    /// Folder, file, mean error, with tabs between them.
    fn text(&self) -> String {
        let last = match (&self.reason, self.error) {
            (Some(reason), _) => format!("not measured: {}", reason.replace('\n', " ")),
            (None, Some(error)) => format!("{error:.5}"),
            (None, None) => "no landmarks".into(),
        };
        format!("{}\t{}\t{last}\n", self.folder, self.file)
    }
}

fn word(name: &str, text: impl Into<String>) -> Cell {
    (name.to_owned(), text.into())
}

fn number((name, value): (String, f64)) -> Cell {
    let text = value.is_finite().then(|| value.to_string());
    (name, text.unwrap_or_default())
}

/// Write `eval.txt`, `models.csv`, `models.md`, `models.html` and `ced.svg` into `out`, the model
/// with the smallest mean error first.
///
/// # Errors
/// When one cannot be written.
pub fn write(out: &Path, lines: &mut [Line]) -> Result<()> {
    let key = |line: &Line| line.error.unwrap_or(f64::INFINITY);
    lines.sort_by(|a, b| {
        let order = a.has_failed().cmp(&b.has_failed());
        order.then(key(a).total_cmp(&key(b)))
    });
    let text: String = lines.iter().map(Line::text).collect();
    write::text(&out.join("eval.txt"), &text)?;
    let full = Table::full(&records(lines));
    full.write_csv(&out.join("models.csv"))?;
    write::text(&out.join("models.html"), &page(&full)?)?;
    write::text(&out.join("models.md"), &markdown(lines))?;
    let measured = lines.iter().filter(|line| !line.errors.is_empty());
    let curves: Vec<Curve> = measured
        .map(|line| Curve {
            name: &line.folder,
            errors: &line.errors,
        })
        .collect();
    match curves.is_empty() {
        true => Ok(()),
        false => write::ced(out, &curves, "Faces by error, missed ones included"),
    }
}

/// One line a model.
pub fn markdown(lines: &[Line]) -> String {
    Table::brief(&records(lines), &SHOWN).markdown()
}

fn records(lines: &[Line]) -> Vec<Record> {
    lines.iter().map(|line| line.record.clone()).collect()
}

/// The table as a page that sorts itself.
fn page(table: &Table) -> Result<String> {
    // No text of a cell may end the script that it stands in.
    let json = serde_json::to_string(table)?.replace('<', "\\u003c");
    Ok(PAGE.replacen(PLACE, &json, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_ends_the_script() {
        let record = Record {
            before: vec![word("folder", "</script><b>")],
            ..Record::default()
        };
        let page = page(&Table::full(&[record])).unwrap();
        assert!(
            !page.contains(PLACE) && page.contains(r"\u003c/script>\u003cb>"),
            "{page}"
        );
        assert_eq!(page.matches("</script>").count(), 1);
        // It needs nothing else than itself.
        assert!(!page.contains("http") && !page.contains("src="), "{page}");
    }
}
