//! The figures as a table for the terminal.

use std::fmt::Write;

use crate::metrics::{ApReport, Report, Summary};

/// The report as text, several lines.
pub fn table(report: &Report, size: u32) -> String {
    let mut out = String::new();
    if let Some(alignment) = &report.alignment {
        push_head(&mut out);
        push_row(&mut out, "all", &alignment.all);
        for subset in &alignment.subsets {
            push_row(&mut out, &subset.name, &subset.summary);
        }
        if let Some(first) = &report.one_pass {
            push_row(&mut out, "all, one pass", &first.all);
        }
        if alignment.unmeasured > 0 {
            push_line(
                &mut out,
                &format!(
                    "{} faces left out: a normalising point is not labelled",
                    alignment.unmeasured
                ),
            );
        }
    } else {
        push_line(&mut out, "No landmarks to measure.");
    }
    if let Some(pose) = &report.pose {
        push_line(&mut out, &pose.to_string());
    }
    if let Some(confidence) = &report.confidence {
        push_line(&mut out, &confidence.to_string());
    }
    match &report.ap {
        Some(ap) => push_ap(&mut out, ap, size),
        None => push_line(&mut out, "No AP: no photo with all its faces labelled."),
    }
    out
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn push_head(out: &mut String) {
    let line = format!(
        "{:<14}{:>7}{:>9}{:>11}{:>9}{:>9}{:>9}{:>9}",
        "faces", "count", "recall", "NME joint", "matched", "median", "FR@0.10", "AUC@0.10"
    );
    push_line(out, &line);
}

fn push_row(out: &mut String, name: &str, s: &Summary) {
    let percent = |v: f64| format!("{:.2} %", 100.0 * v);
    let matched = s.nme_matched.map_or_else(|| "-".to_owned(), percent);
    let line = format!(
        "{name:<14}{:>7}{:>9.3}{:>11}{matched:>9}{:>9}{:>9}{:>9.3}",
        s.faces,
        s.recall,
        percent(s.nme_joint),
        percent(s.nme_median),
        percent(s.fr),
        s.auc
    );
    push_line(out, &line);
}

fn push_ap(out: &mut String, ap: &ApReport, size: u32) {
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "AP@{:.2} {:.4}: {} faces of at least {} px at {size} px, {} photos",
        ap.iou, ap.ap, ap.faces, ap.min_face, ap.photos
    );
    for subset in &ap.subsets {
        let value = subset.ap.map_or_else(|| "-".into(), |v| format!("{v:.4}"));
        let _ = writeln!(out, "  {:<8}{value}", subset.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Alignment, ApSubset, FaceError, PoseReport};

    #[test]
    fn every_figure_is_shown() {
        let face = FaceError {
            nme: Some(0.05),
            attributes: Some([true, false, false, false, false, false]),
        };
        let report = Report {
            photos: 1,
            alignment: Alignment::of(&[face], 2),
            one_pass: Alignment::of(&[face], 2),
            pose: Some(PoseReport {
                faces: 3,
                pitch: 1.0,
                yaw: 2.0,
                roll: 4.5,
            }),
            confidence: None,
            ap: Some(ApReport {
                ap: 0.5,
                photos: 1,
                faces: 1,
                iou: 0.5,
                min_face: 16.0,
                subsets: vec![ApSubset {
                    name: "easy".into(),
                    ap: None,
                }],
            }),
        };
        let text = table(&report, 640);
        for part in [
            "large pose",
            "all, one pass",
            "5.00 %",
            "0.500",
            "AP@0.50 0.5000",
            "easy",
            "2 faces",
            "off by 2.50 degrees",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let nothing = Report {
            photos: 0,
            alignment: None,
            one_pass: None,
            pose: None,
            confidence: None,
            ap: None,
        };
        assert!(table(&nothing, 640).contains("No landmarks"));
    }
}
