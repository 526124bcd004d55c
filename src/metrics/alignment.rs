//! How well landmarks sit: NME, failure rate, area under the CED, in the joint protocol, in which
//! the detector has to find the face itself.

use serde::Serialize;

use crate::data::FaceLabel;
use crate::data::sample::ATTRIBUTES;
use crate::geometry::{Face, Point};

/// The error of a face that was not found.
pub const MISSED: f64 = 1.0;
/// A face whose error is above this has failed; the CED is integrated up to here.
pub const FAILURE: f64 = 0.10;

/// When a detection counts as found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointOptions {
    /// Lowest IoU with the true box.
    pub iou: f32,
    /// Lowest score.
    pub score: f32,
}

impl Default for JointOptions {
    fn default() -> Self {
        Self {
            iou: 0.4,
            score: 0.3,
        }
    }
}

/// The detection that stands for a true face: the one with the highest IoU among those that
/// reach both limits; of equal ones the higher score, then the first.
pub fn best_detection(truth: &FaceLabel, detections: &[Face], opt: JointOptions) -> Option<usize> {
    detections
        .iter()
        .enumerate()
        .map(|(i, d)| (i, truth.box_xyxy.iou(&d.box_xyxy), d.score))
        .filter(|&(_, iou, score)| iou >= opt.iou && score >= opt.score)
        .reduce(|a, b| {
            let order = b.1.total_cmp(&a.1).then(b.2.total_cmp(&a.2));
            if order.is_gt() { b } else { a }
        })
        .map(|(i, ..)| i)
}

/// The distance that divides the error of a face; `None` when one of the two points is not
/// labelled or both are at one place.
pub fn normaliser(truth: &FaceLabel, [a, b]: [usize; 2]) -> Option<f64> {
    let point = |i: usize| truth.landmarks.labelled_at(i);
    let d = distance(point(a)?, point(b)?);
    (d.is_finite() && d > 0.0).then_some(d)
}

/// Normalised mean error: mean distance over the labelled points, divided by `normaliser`.
/// `None` without a labelled point, when the lists differ in length, or a point is nowhere (NaN).
pub fn nme(truth: &FaceLabel, predicted: &[Point], normaliser: f64) -> Option<f64> {
    if predicted.len() != truth.landmarks.len() {
        return None;
    }
    let errors: Vec<f64> = (truth.landmarks.iter().zip(predicted))
        .filter(|(t, _)| t.labelled)
        .map(|(t, &p)| distance(t.at, p))
        .collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64 / normaliser;
    mean.is_finite().then_some(mean)
}

fn distance(a: Point, b: Point) -> f64 {
    (f64::from(a[0]) - f64::from(b[0])).hypot(f64::from(a[1]) - f64::from(b[1]))
}

/// The result of one true face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceError {
    /// Its error, where it was found.
    pub nme: Option<f64>,
    /// Its WFLW attributes, where the list has them.
    pub attributes: Option<[bool; 6]>,
}

impl FaceError {
    /// Its error in the joint protocol: a missed face has [`MISSED`].
    pub fn joint(&self) -> f64 {
        self.nme.unwrap_or(MISSED)
    }
}

/// Figures over some faces. Shares and errors are fractions, not per cent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Number of faces.
    pub faces: usize,
    /// Share of them that was found.
    pub recall: f64,
    /// Mean error, a missed face having 1.
    pub nme_joint: f64,
    /// Mean error of the faces that were found; none when none was.
    pub nme_matched: Option<f64>,
    /// Median error, a missed face having 1.
    pub nme_median: f64,
    /// Share of faces with an error above 0.10, the missed among them.
    pub fr: f64,
    /// Area under the cumulative error distribution up to 0.10, divided by 0.10.
    pub auc: f64,
}

impl Summary {
    /// Over `faces`; `None` when there are none.
    pub fn of<'a>(faces: impl IntoIterator<Item = &'a FaceError>) -> Option<Self> {
        let faces: Vec<&FaceError> = faces.into_iter().collect();
        let matched: Vec<f64> = faces.iter().filter_map(|f| f.nme).collect();
        let mut joint: Vec<f64> = faces.iter().map(|f| f.joint()).collect();
        joint.sort_by(f64::total_cmp);
        Some(Self {
            faces: faces.len(),
            recall: matched.len() as f64 / faces.len() as f64,
            nme_joint: mean(&joint)?,
            nme_matched: mean(&matched),
            nme_median: median(&joint)?,
            fr: failure_rate(&joint)?,
            auc: auc(&joint)?,
        })
    }

    /// The figures by name; what could not be measured is not a number.
    pub fn figures(&self) -> [(&'static str, f64); 6] {
        [
            ("recall", self.recall),
            ("nme_joint", self.nme_joint),
            ("nme_matched", self.nme_matched.unwrap_or(f64::NAN)),
            ("nme_median", self.nme_median),
            ("fr", self.fr),
            ("auc", self.auc),
        ]
    }
}

/// Figures over all faces and over the WFLW subsets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alignment {
    /// All faces.
    #[serde(flatten)]
    pub all: Summary,
    /// Faces with landmarks that could not be measured: a normalising point is not labelled.
    pub unmeasured: usize,
    /// The faces with each attribute, then those without large pose; only subsets with faces.
    pub subsets: Vec<Subset>,
}

/// Figures over the faces with one attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subset {
    /// The attribute's name.
    pub name: String,
    /// Its faces.
    #[serde(flatten)]
    pub summary: Summary,
}

impl Alignment {
    /// Over `faces`; `None` when there are none.
    pub fn of(faces: &[FaceError], unmeasured: usize) -> Option<Self> {
        let with = |attribute: usize, value: bool| {
            let has = move |f: &&FaceError| f.attributes.is_some_and(|a| a[attribute] == value);
            Summary::of(faces.iter().filter(has))
        };
        let mut subsets: Vec<(String, Option<Summary>)> = ATTRIBUTES
            .iter()
            .enumerate()
            .map(|(i, name)| (subset_name(name), with(i, true)))
            .collect();
        // Without a single large pose the list does not tell poses apart.
        if subsets[0].1.is_some() {
            subsets.push(("other pose".into(), with(0, false)));
        }
        let subsets = subsets
            .into_iter()
            .filter_map(|(name, summary)| summary.map(|summary| Subset { name, summary }))
            .collect();
        Some(Self {
            all: Summary::of(faces)?,
            unmeasured,
            subsets,
        })
    }
}

/// WFLW's first attribute marks large poses.
fn subset_name(attribute: &str) -> String {
    if attribute == ATTRIBUTES[0] {
        format!("large {attribute}")
    } else {
        attribute.to_owned()
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / n)
}

/// Median of sorted values; of an even number the mean of the middle two.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some((lower + upper) * 0.5)
}

/// Share of errors above [`FAILURE`].
pub fn failure_rate(errors: &[f64]) -> Option<f64> {
    let failed = errors.iter().filter(|&&e| e > FAILURE).count();
    (!errors.is_empty()).then(|| failed as f64 / errors.len() as f64)
}

/// Area under the cumulative error distribution from 0 to [`FAILURE`], divided by [`FAILURE`].
/// The distribution is a step function, so its integral is exact: each face adds the stretch
/// between its error and the limit.
pub fn auc(errors: &[f64]) -> Option<f64> {
    let stretch = |&e: &f64| (FAILURE - e).max(0.0) / FAILURE;
    mean(&errors.iter().map(stretch).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
