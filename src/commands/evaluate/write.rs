//! What is written about a model.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::measure::Measurement;
use crate::cli::EvaluateArgs;
use crate::config::SourceConfig;
use crate::evaluation::{self, Boxes, Curve, Sheet, Which};
use crate::infer::InputSize;
use crate::metrics::Report;
use crate::{fs, render};

/// What `report.json` holds.
#[derive(Serialize)]
struct File<'a> {
    weights: &'a Path,
    /// Files of aligners that were named.
    aligners: &'a [PathBuf],
    data: &'a [SourceConfig],
    boxes: &'a str,
    size: u32,
    /// Whether that was the first look only, which decided about more.
    auto: bool,
    second_size: Option<u32>,
    any_angle: bool,
    landmark_votes: usize,
    /// Looks at each face after the first one, of all aligners together; 0: one pass.
    passes: usize,
    flip: bool,
    evaluate_score: f32,
    joint_score: f32,
    joint_iou: f32,
    nms_iou: f32,
    #[serde(flatten)]
    report: &'a Report,
}

/// How tables call who says where the faces are.
pub(super) const fn boxes_name(boxes: Boxes) -> &'static str {
    match boxes {
        Boxes::Detected => "detected",
        Boxes::Truth => "truth",
        Boxes::List => "list",
    }
}

/// Write `report.json` into `out`, and where faces were measured `faces.csv`, `best.jpg` and
/// `worst.jpg`.
///
/// # Errors
/// When one cannot be written.
pub(super) fn model(
    out: &Path,
    args: &EvaluateArgs,
    measured: &Measurement,
    sheet: &Sheet,
) -> Result<()> {
    text(&out.join("report.json"), &report_text(args, measured)?)?;
    let faces = &measured.outcome.faces;
    if faces.is_empty() {
        return Ok(());
    }
    write_faces(&out.join("faces.csv"), measured)?;
    for (which, name) in [(Which::Best, "best.jpg"), (Which::Worst, "worst.jpg")] {
        let picture = evaluation::mosaic(&measured.dataset, faces, which, sheet)?;
        render::save_jpeg(&out.join(name), &picture)?;
    }
    Ok(())
}

/// Write `ced.svg` into `out`.
///
/// # Errors
/// When it cannot be drawn or written.
pub(super) fn ced(out: &Path, curves: &[Curve<'_>], title: &str) -> Result<()> {
    let svg = evaluation::ced_svg(curves, title)?;
    text(&out.join("ced.svg"), &svg)
}

/// Write a whole text.
///
/// # Errors
/// Names `path` when it cannot be written.
pub(super) fn text(path: &Path, text: &str) -> Result<()> {
    fs::write_atomic(path, |file| Ok(file.write_all(text.as_bytes())?))
}

/// What `report.json` says.
///
/// # Errors
/// Never: all of it is text and numbers.
pub(super) fn report_text(args: &EvaluateArgs, measured: &Measurement) -> Result<String> {
    let Measurement {
        settings, looks, ..
    } = measured;
    let file = File {
        weights: &measured.weights,
        aligners: &args.second_look.aligner,
        data: &measured.sources,
        boxes: boxes_name(settings.boxes),
        size: settings.size,
        auto: settings.detect.is_auto(),
        second_size: match settings.detect.second_size {
            Some(InputSize::Fixed(side)) => Some(side),
            _ => None,
        },
        any_angle: settings.detect.any_angle,
        landmark_votes: settings.detect.landmark_votes,
        passes: looks.iter().map(|look| look.passes).sum(),
        flip: looks.iter().any(|look| look.flip),
        evaluate_score: settings.detect.score,
        joint_score: settings.options.joint.score,
        joint_iou: settings.options.joint.iou,
        nms_iou: settings.detect.nms_iou,
        report: &measured.outcome.report,
    };
    Ok(serde_json::to_string_pretty(&file)?)
}

/// One line a face: photo, true box, error, and the detection that stands for it.
fn write_faces(path: &Path, measured: &Measurement) -> Result<()> {
    fs::write_atomic(path, |out| {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["image", "x1", "y1", "x2", "y2", "nme", "score"])?;
        for face in &measured.outcome.faces {
            let sample = &measured.dataset.samples[face.sample];
            let corners: [f32; 4] = sample.faces[face.face].box_xyxy.into();
            let score = face.detection.as_ref().map(|d| format!("{:.4}", d.score));
            let mut row = vec![sample.name.to_string()];
            row.extend(corners.map(|v| format!("{v:.1}")));
            row.extend([format!("{:.5}", face.nme), score.unwrap_or_default()]);
            csv.write_record(&row)?;
        }
        Ok(csv.flush()?)
    })
}
