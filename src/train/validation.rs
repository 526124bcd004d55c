//! Validation: the averaged weights on the validation photos, in words and in numbers.

use std::sync::Arc;

use anyhow::Result;

use crate::config::{Config, DetectConfig, Task};
use crate::data::Dataset;
use crate::evaluation;
use crate::infer::Predictor;
use crate::metrics::Report;
use crate::metrics::alignment::Summary;
use crate::task;

/// Measures a predictor on the validation photos.
#[derive(Clone)]
pub struct Validator {
    dataset: Arc<Dataset>,
    detect: DetectConfig,
}

impl Validator {
    /// For the photos in `dataset`.
    pub fn new(config: &Config, dataset: Arc<Dataset>) -> Self {
        Self {
            dataset,
            detect: config.detect.clone(),
        }
    }

    /// Measure `predictor`.
    ///
    /// # Errors
    /// When a photo cannot be read or the device fails.
    pub fn run(&self, predictor: &Predictor) -> Result<Report> {
        Ok(evaluation::run(predictor, &self.dataset, &self.detect)?.report)
    }
}

/// What checkpoints are compared by, lower is better: the mean error that the task's network learns
/// to lower, or how much the AP lacks where no face has landmarks.
pub fn badness(task: Task, report: &Report) -> Option<f64> {
    let figures = report.figures();
    let mut errors = task::of(task).errors().iter();
    let error = errors.find_map(|wanted| figures.iter().find(|(name, _)| name == wanted));
    let lacking = report.ap().map(|ap| 1.0 - ap);
    let badness = error.map(|&(_, error)| error).or(lacking);
    badness.filter(|badness| badness.is_finite())
}

/// All figures by name, for the logs; what could not be measured is not a number.
pub fn row(report: &Report, epoch: usize) -> Vec<(String, f64)> {
    let mut row = vec![("epoch".to_owned(), epoch as f64)];
    row.extend(report.figures());
    row
}

/// The figures as a person reads them.
pub fn describe(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(alignment) = &report.alignment {
        lines.push(format!("  validation: {}", summary_text(&alignment.all)));
        for subset in &alignment.subsets {
            lines.push(format!(
                "  {:>14}: {}",
                subset.name,
                summary_text(&subset.summary)
            ));
        }
    }
    if let Some(first_look) = &report.one_pass {
        lines.push(format!("    one pass: {}", summary_text(&first_look.all)));
    }
    if let Some(pose) = &report.pose {
        lines.push(format!("  {pose}"));
    }
    if let Some(ap) = &report.ap {
        lines.push(format!(
            "  AP {:.3} over {} faces in {} completely labelled photos",
            ap.ap, ap.faces, ap.photos
        ));
    }
    lines.join("\n")
}

fn summary_text(s: &Summary) -> String {
    let matched = s
        .nme_matched
        .map_or_else(|| "-".into(), |nme| format!("{:.2} %", 100.0 * nme));
    format!(
        "recall {:.3}, NME joint {:.2} %, matched {matched}, median {:.2} %, FR {:.1} %, AUC {:.3} ({} faces)",
        s.recall,
        100.0 * s.nme_joint,
        100.0 * s.nme_median,
        100.0 * s.fr,
        s.auc,
        s.faces
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Alignment, ApReport, FaceError};

    fn alignment(nme: f64) -> Option<Alignment> {
        let face = FaceError {
            nme: Some(nme),
            attributes: None,
        };
        Alignment::of(&[face], 0)
    }

    #[test]
    fn checkpoints_are_compared_by_what_the_task_teaches() {
        let ap = ApReport {
            ap: 0.75,
            photos: 1,
            faces: 1,
            iou: 0.5,
            min_face: 16.0,
            subsets: Vec::new(),
        };
        let two_looks = Report {
            photos: 1,
            alignment: alignment(0.05),
            one_pass: alignment(0.5),
            pose: None,
            confidence: None,
            ap: Some(ap),
        };
        assert_eq!(badness(Task::Detect, &two_looks), Some(0.5));
        assert_eq!(badness(Task::Align, &two_looks), Some(0.05));
        let one_look = Report {
            one_pass: None,
            ..two_looks.clone()
        };
        assert_eq!(badness(Task::Detect, &one_look), Some(0.05));
        let no_points = Report {
            alignment: None,
            ..one_look
        };
        assert_eq!(badness(Task::Detect, &no_points), Some(0.25));
        let nothing = Report {
            ap: None,
            ..no_points
        };
        assert_eq!(badness(Task::Detect, &nothing), None);
        // What is not a number would never be beaten.
        let broken = Report {
            one_pass: alignment(f64::NAN),
            ..two_looks
        };
        assert_eq!(badness(Task::Detect, &broken), None);
    }
}
