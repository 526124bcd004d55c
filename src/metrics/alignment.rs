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
mod tests {
    use super::*;
    use crate::geometry::{BoxXyxy, Landmarks};

    fn truth() -> FaceLabel {
        FaceLabel {
            landmarks: Landmarks::all([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0]]),
            ..FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 10.0, 10.0))
        }
    }

    fn found(b: [f32; 4], score: f32) -> Face {
        Face {
            box_xyxy: b.into(),
            score,
            landmarks: truth().landmarks.points().collect(),
            landmark_scores: None,
        }
    }

    fn face(nme: Option<f64>) -> FaceError {
        FaceError {
            nme,
            attributes: None,
        }
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} instead of {b}");
    }

    #[test]
    fn nme_by_hand() {
        let t = truth();
        let d = normaliser(&t, [0, 1]).unwrap();
        near(d, 10.0);
        // Errors 3, 0, 5 (3-4-5): mean 8/3, divided by 10.
        let p = [[3.0, 0.0], [10.0, 0.0], [8.0, 9.0]];
        near(nme(&t, &p, d).unwrap(), 8.0 / 30.0);
        assert_eq!(nme(&t, &p[..2], d), None);
    }

    #[test]
    fn only_labelled_points_count() {
        let mut t = truth();
        t.landmarks = t.landmarks.masked(|p| p != [5.0, 5.0]);
        let p = [[3.0, 0.0], [10.0, 0.0], [1e6, f32::NAN]];
        near(nme(&t, &p, 10.0).unwrap(), 0.15);
        assert_eq!(normaliser(&t, [0, 2]), None);
        let mut coincide = t.clone();
        coincide.landmarks = t.landmarks.map(|_| [0.0, 0.0]);
        assert_eq!(normaliser(&coincide, [0, 1]), None);
        t.landmarks = t.landmarks.masked(|_| false);
        assert_eq!(nme(&t, &p, 10.0), None);
        assert_eq!(nme(&truth(), &[[f32::NAN; 2]; 3], 10.0), None);
    }

    #[test]
    fn a_truth_takes_the_best_overlap_not_the_best_score() {
        let opt = JointOptions::default();
        let exact = found([0.0, 0.0, 10.0, 10.0], 0.3);
        let loose = found([0.0, 0.0, 10.0, 14.0], 0.99);
        let weak = found([0.0, 0.0, 10.0, 10.0], 0.29);
        let far = found([0.0, 0.0, 10.0, 30.0], 0.99);
        let t = truth();
        let all = [far.clone(), loose.clone(), weak.clone(), exact];
        assert_eq!(best_detection(&t, &all, opt), Some(3));
        assert_eq!(best_detection(&t, &[weak.clone(), loose], opt), Some(1));
        assert_eq!(best_detection(&t, &[weak, far], opt), None);
        assert_eq!(best_detection(&t, &[], opt), None);
        // The limit itself is enough.
        let half = [found([0.0, 0.0, 10.0, 20.0], 0.9)];
        let with = |iou| best_detection(&t, &half, JointOptions { iou, ..opt });
        assert_eq!((with(0.5), with(0.51)), (Some(0), None));
        // A tie in IoU: the higher score, then the first.
        let tie = |score| found([0.0, 0.0, 10.0, 10.0], score);
        let pick = |scores: [f32; 3]| best_detection(&t, &scores.map(tie), opt);
        assert_eq!(pick([0.5, 0.7, 0.7]), Some(1));
        // The limit itself is enough.
        let half = found([0.0, 0.0, 10.0, 20.0], 0.9);
        let opt = JointOptions { iou: 0.5, ..opt };
        assert_eq!(best_detection(&t, &[half], opt), Some(0));
    }

    #[test]
    fn summary_by_hand() {
        let faces = [
            face(Some(0.05)),
            face(Some(0.15)),
            face(None),
            face(Some(0.10)),
        ];
        let s = Summary::of(&faces).unwrap();
        assert_eq!(s.faces, 4);
        near(s.recall, 0.75);
        near(s.nme_joint, (0.05 + 0.15 + 1.0 + 0.10) / 4.0);
        near(s.nme_matched.unwrap(), 0.1);
        near(s.nme_median, 0.125);
        // 0.10 itself is no failure.
        near(s.fr, 0.5);
        // Half the stretch for 0.05, nothing for 0.10 and above.
        near(s.auc, 0.5 / 4.0);
    }

    #[test]
    fn one_face_no_face_and_none_found() {
        let s = Summary::of(&[face(Some(0.0))]).unwrap();
        near(s.auc, 1.0);
        near(s.nme_median, 0.0);
        let s = Summary::of(&[face(None)]).unwrap();
        assert_eq!(
            (s.nme_matched, s.recall, s.fr, s.auc),
            (None, 0.0, 1.0, 0.0)
        );
        near(s.nme_joint, MISSED);
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Alignment::of(&[], 3), None);
    }

    #[test]
    fn subsets_follow_the_attributes() {
        let with = |attributes, nme| FaceError {
            nme: Some(nme),
            attributes: Some(attributes),
        };
        let faces = [
            with([true, false, false, false, false, true], 0.2),
            with([false, false, false, false, false, true], 0.1),
            face(None),
        ];
        let a = Alignment::of(&faces, 0).unwrap();
        let names: Vec<&str> = a.subsets.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["large pose", "blur", "other pose"]);
        near(a.subsets[0].summary.nme_joint, 0.2);
        near(a.subsets[1].summary.nme_joint, 0.15);
        near(a.subsets[2].summary.nme_joint, 0.1);
        assert_eq!(a.all.faces, 3);
    }
}
