//! Quality of detections: plain numbers (`docs/design.md`, section 6).

pub mod alignment;
pub mod ap;
pub mod confidence;
pub mod pose;
mod statistics;

use serde::Serialize;

use crate::data::FaceLabel;
use crate::geometry::{Face, Scheme};

pub use alignment::{Alignment, FaceError, JointOptions, Subset, Summary};
pub use ap::ApCounter;
pub use confidence::{ConfidenceCounter, ConfidenceReport};
pub use pose::{PoseCounter, PoseReport};

/// What the evaluator measures, and how strictly.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// When a face counts as found in the joint protocol.
    pub joint: JointOptions,
    /// IoU from which a detection is a hit in the AP.
    pub ap_iou: f32,
    /// Faces smaller than this in the network input are left out of the AP, pixels.
    pub min_face: f32,
    /// Names of truth subsets with an AP of their own (WIDER FACE's easy, medium, hard).
    pub subsets: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            joint: JointOptions::default(),
            ap_iou: 0.5,
            min_face: 16.0,
            subsets: Vec::new(),
        }
    }
}

/// The labels of one photo.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// Its faces.
    pub faces: &'a [FaceLabel],
    /// Whether all faces are labelled: only then a detection elsewhere is false, and the photo
    /// enters the AP.
    pub complete: bool,
    /// Network input pixels per photo pixel.
    pub scale: f32,
    /// For each face a bit set: bit `i` says that it belongs to `Options::subsets[i]`. May be
    /// empty.
    pub subsets: &'a [u32],
}

/// Collects photo by photo, then reports.
#[derive(Clone, Debug)]
pub struct Evaluator {
    options: Options,
    normalise: [usize; 2],
    points: usize,
    photos: usize,
    faces: Vec<FaceError>,
    unmeasured: usize,
    complete: usize,
    ap: ApCounter,
    pose: PoseCounter,
    confidence: ConfidenceCounter,
    members: Vec<u32>,
}

/// What became of one true face with landmarks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Its index among the photo's faces.
    pub face: usize,
    /// Index of the detection that stands for it.
    pub detection: Option<usize>,
    /// Its error in the joint protocol.
    pub nme: f64,
}

impl Evaluator {
    /// For faces labelled in `scheme`.
    pub fn new(scheme: &Scheme, options: Options) -> Self {
        Self {
            normalise: scheme.normalise(),
            points: scheme.len(),
            photos: 0,
            faces: Vec::new(),
            unmeasured: 0,
            complete: 0,
            ap: ApCounter::new(options.ap_iou, options.min_face),
            pose: PoseCounter::default(),
            confidence: ConfidenceCounter::default(),
            members: Vec::new(),
            options,
        }
    }

    /// Add a photo; returns what became of each valid face with landmarks, in their order.
    pub fn add(&mut self, truth: Truth<'_>, detections: &[Face]) -> Vec<Measured> {
        self.photos += 1;
        if truth.complete {
            self.complete += 1;
            self.ap.add(truth.faces, detections, truth.scale);
            self.members.extend_from_slice(truth.subsets);
            self.members.resize(self.ap.truths(), 0);
        }
        let valid = |f: &FaceLabel| !f.ignored && f.box_xyxy.has_size() && f.has_landmarks();
        (truth.faces.iter().enumerate())
            .filter(|(_, face)| valid(face))
            .filter_map(|(i, face)| self.align(i, face, detections))
            .collect()
    }

    /// The joint protocol for one face; `None` when it cannot be measured.
    fn align(&mut self, index: usize, face: &FaceLabel, detections: &[Face]) -> Option<Measured> {
        let normaliser = alignment::normaliser(face, self.normalise);
        let (Some(normaliser), true) = (normaliser, face.landmarks.len() == self.points) else {
            self.unmeasured += 1;
            return None;
        };
        let found = alignment::best_detection(face, detections, self.options.joint).and_then(|d| {
            Some((
                d,
                alignment::nme(face, &detections[d].landmarks, normaliser)?,
            ))
        });
        let error = FaceError {
            nme: found.map(|(_, nme)| nme),
            attributes: face.attributes,
        };
        self.faces.push(error);
        if let Some((d, _)) = found {
            self.pose.add(detections[d].pose, face.pose);
            self.confidence.add(&detections[d], face);
        }
        Some(Measured {
            face: index,
            detection: found.map(|(d, _)| d),
            nme: error.joint(),
        })
    }

    /// The errors of all measured faces so far, in the order they were added.
    pub fn errors(&self) -> impl Iterator<Item = f64> + '_ {
        self.faces.iter().map(FaceError::joint)
    }

    /// All figures.
    pub fn finish(&self) -> Report {
        let subset = |(bit, name): (usize, &String)| ApSubset {
            name: name.clone(),
            ap: self
                .ap
                .average_precision_of(|id| self.members[id] & (1 << bit) != 0),
        };
        Report {
            photos: self.photos,
            alignment: Alignment::of(&self.faces, self.unmeasured),
            one_pass: None,
            pose: self.pose.finish(),
            confidence: self.confidence.finish(),
            ap: self.ap.average_precision().map(|ap| ApReport {
                ap,
                photos: self.complete,
                faces: self.ap.counted(),
                iou: self.options.ap_iou,
                min_face: self.options.min_face,
                subsets: self
                    .options
                    .subsets
                    .iter()
                    .enumerate()
                    .map(subset)
                    .collect(),
            }),
        }
    }
}

/// All figures of an evaluation. Shares and errors are fractions, not per cent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Number of photos.
    pub photos: usize,
    /// The joint protocol; none when no face has landmarks.
    pub alignment: Option<Alignment>,
    /// The joint protocol with the landmarks of the first look, where there was a second one.
    pub one_pass: Option<Alignment>,
    /// How far heads' poses are off, of faces found in the joint protocol; none when no label or no
    /// network tells them.
    pub pose: Option<PoseReport>,
    /// How far the confidences of points tell their errors, of the same faces; none when the network
    /// tells no confidences.
    pub confidence: Option<ConfidenceReport>,
    /// The AP; none when no photo is completely labelled.
    pub ap: Option<ApReport>,
}

impl Report {
    /// Recall in the joint protocol.
    pub fn recall(&self) -> Option<f64> {
        self.alignment.as_ref().map(|a| a.all.recall)
    }

    /// Mean error in the joint protocol: the figure to select a model by.
    pub fn nme_joint(&self) -> Option<f64> {
        self.alignment.as_ref().map(|a| a.all.nme_joint)
    }

    /// AP over all counted faces.
    pub fn ap(&self) -> Option<f64> {
        self.ap.as_ref().map(|a| a.ap)
    }

    /// All figures by name, as tables and logs call them; what could not be measured is not a number.
    pub fn figures(&self) -> Vec<(String, f64)> {
        let mut figures = Vec::new();
        let mut push = |prefix: &str, summary: &Summary| {
            let named = summary.figures();
            figures.extend(named.map(|(name, number)| (format!("{prefix}{name}"), number)));
        };
        if let Some(alignment) = &self.alignment {
            push("", &alignment.all);
            for subset in &alignment.subsets {
                push(&format!("{}/", subset.name), &subset.summary);
            }
        }
        if let Some(first_look) = &self.one_pass {
            push("one_pass/", &first_look.all);
        }
        let pose = self.pose.iter().flat_map(PoseReport::figures);
        let confidence = self.confidence.iter().flat_map(ConfidenceReport::figures);
        let named = |(name, number): (&str, f64)| (name.to_owned(), number);
        figures.extend(pose.chain(confidence).map(named));
        if let Some(ap) = &self.ap {
            figures.push(("ap".into(), ap.ap));
            let of_subset =
                |subset: &ApSubset| (format!("ap/{}", subset.name), subset.ap.unwrap_or(f64::NAN));
            figures.extend(ap.subsets.iter().map(of_subset));
        }
        figures
    }
}

/// AP and what it was measured on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApReport {
    /// VOC all-point average precision.
    pub ap: f64,
    /// Completely labelled photos.
    pub photos: usize,
    /// Faces that count.
    pub faces: usize,
    /// IoU from which a detection is a hit.
    pub iou: f32,
    /// Smallest face that counts, pixels of the network input.
    pub min_face: f32,
    /// AP of the named subsets.
    pub subsets: Vec<ApSubset>,
}

/// AP over a named subset of the faces; the others are ignored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApSubset {
    /// Its name.
    pub name: String,
    /// None when no face belongs to it.
    pub ap: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Landmarks;

    #[test]
    fn faces_that_are_ignored_or_have_no_points_are_not_measured() {
        let points = [[2.0, 2.0], [8.0, 2.0], [5.0, 5.0], [2.0, 8.0], [8.0, 8.0]];
        let face = FaceLabel {
            landmarks: Landmarks::all(points),
            ..FaceLabel::boxed([0.0, 0.0, 10.0, 10.0].into())
        };
        let ignored = FaceLabel {
            ignored: true,
            ..face.clone()
        };
        let bare = FaceLabel::boxed(face.box_xyxy);
        let mut evaluator = Evaluator::new(&Scheme::five(), Options::default());
        let truth = Truth {
            faces: &[ignored, bare, face],
            complete: true,
            scale: 1.0,
            subsets: &[],
        };
        let measured = evaluator.add(truth, &[]);
        let missed = Measured {
            face: 2,
            detection: None,
            nme: 1.0,
        };
        assert_eq!(measured, [missed]);
    }
}
