//! What the loss compares the network's outputs with.

use anyhow::{Result, ensure};

use super::{Anchors, Coder, Match, Matcher, Taught};
use crate::config::Config;
use crate::geometry::{BoxXyxy, HeadPose, Landmarks};

/// The error of a mean along either axis, as a share of the distance between the two halves that it is
/// the mean of: half of that distance, if their errors are independent, by `2 / pi` along an axis. Errors
/// that both halves share come on top, which is left to whoever compares with people's points.
const OF_HALVES: f32 = std::f32::consts::FRAC_1_PI;

/// A labelled face as the matcher sees it, pixels of the network input.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// Bounding box.
    pub box_xyxy: BoxXyxy,
    /// Landmarks; none, or as many as the scheme has.
    pub landmarks: &'a Landmarks,
    /// Neither face nor background.
    pub ignored: bool,
    /// How often its landmarks count.
    pub weight: f32,
    /// How far apart those who made its landmarks put them, share of the face's longer side.
    pub doubt: f32,
    /// How its head is turned in the network input, where somebody says so.
    pub pose: Option<HeadPose>,
}

impl Truth<'_> {
    /// Whether anchors may match it: not ignored, and of some size.
    pub fn matches(&self) -> bool {
        !self.ignored && self.box_xyxy.has_size()
    }
}

/// Training targets of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// Per anchor: 1 face, 0 background, -1 ignored.
    pub labels: Vec<i8>,
    /// Anchors that are positive, ascending.
    pub positives: Vec<usize>,
    /// Which face each positive shows; index into the image's faces.
    pub faces: Vec<usize>,
    /// Each positive itself: centre and size, pixels of the input.
    pub anchors_cxcywh: Vec<[f32; 4]>,
    /// The box of its face.
    pub boxes: Vec<BoxXyxy>,
    /// Positives whose face has a labelled landmark; index into `positives`.
    pub with_landmarks: Vec<usize>,
    /// Landmark deltas of those, `2 L` each (x, y of every point); 0 where not labelled.
    pub landmark_deltas: Vec<f32>,
    /// How often each of those faces counts.
    pub face_weights: Vec<f32>,
    /// Share of each coordinate in its face's mean: 1 / labelled coordinates, or 0.
    pub landmark_weights: Vec<f32>,
    /// How the head of the face in a crop is turned there, where it is known.
    pub pose: Option<HeadPose>,
    /// How far the landmarks of the face in a crop may be off themselves along either axis, in deltas.
    pub label_error: f32,
    /// What a teacher says, where there is one.
    pub taught: Option<Taught>,
}

/// Matches the faces of images and encodes their landmarks.
#[derive(Clone, Debug)]
pub struct TargetBuilder {
    matcher: Matcher,
    coder: Coder,
    points: usize,
}

impl TargetBuilder {
    /// For the matcher, coder and landmark scheme of `config`.
    ///
    /// # Errors
    /// When the landmark scheme is not a valid one.
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            matcher: Matcher::new(&config.matcher),
            coder: Coder::of_deltas(config.anchors.variances),
            points: config.landmarks.scheme()?.len(),
        })
    }

    /// Targets of one image. `complete`: all its faces are among `truths`.
    ///
    /// # Errors
    /// When a face has landmarks of another scheme, or one that is labelled and nowhere (NaN).
    pub fn build(&self, anchors: &Anchors, truths: &[Truth], complete: bool) -> Result<Targets> {
        let matches = self.matcher.assign(anchors, truths, complete);
        let mut targets = Targets {
            labels: vec![0; matches.len()],
            ..Targets::default()
        };
        for (anchor, m) in matches.into_iter().enumerate() {
            match m {
                Match::Negative => {}
                Match::Ignored => targets.labels[anchor] = -1,
                Match::Positive(face) => {
                    targets.labels[anchor] = 1;
                    let anchor_cxcywh = anchors.boxes_cxcywh()[anchor];
                    targets.anchors_cxcywh.push(anchor_cxcywh);
                    targets.boxes.push(truths[face].box_xyxy);
                    targets.positives.push(anchor);
                    targets.faces.push(face);
                    self.push_landmarks(&mut targets, anchor_cxcywh, &truths[face])?;
                }
            }
        }
        Ok(targets)
    }

    /// Targets of the crop of one face, whose only anchor learns its landmarks and the turn of its
    /// head; without those that the face does not have.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn of_face(&self, anchors: &Anchors, face: &Truth) -> Result<Targets> {
        let Some(&anchor_cxcywh) = anchors.boxes_cxcywh().first() else {
            return Ok(Targets::default());
        };
        let mut targets = Targets {
            labels: vec![1],
            positives: vec![0],
            faces: vec![0],
            pose: face.pose,
            label_error: face.doubt * OF_HALVES / self.coder.variances[0],
            ..Targets::default()
        };
        self.push_landmarks(&mut targets, anchor_cxcywh, face)?;
        Ok(targets)
    }

    fn push_landmarks(
        &self,
        targets: &mut Targets,
        anchor_cxcywh: [f32; 4],
        face: &Truth<'_>,
    ) -> Result<()> {
        let landmarks = face.landmarks;
        let count = landmarks.labelled().count();
        if count == 0 {
            return Ok(());
        }
        ensure!(
            landmarks.len() == self.points,
            "a face has {} landmarks instead of {}",
            landmarks.len(),
            self.points
        );
        targets.with_landmarks.push(targets.positives.len() - 1);
        targets.face_weights.push(face.weight);
        let weight = 1.0 / (2 * count) as f32;
        for landmark in landmarks.iter() {
            if landmark.labelled {
                let deltas = self.coder.encode_point(anchor_cxcywh, landmark.at);
                ensure!(
                    deltas.iter().all(|d| d.is_finite()),
                    "a landmark is labelled, but lies nowhere: {:?}",
                    landmark.at
                );
                targets.landmark_deltas.extend(deltas);
                targets.landmark_weights.extend([weight; 2]);
            } else {
                targets.landmark_deltas.extend([0.0; 2]);
                targets.landmark_weights.extend([0.0; 2]);
            }
        }
        Ok(())
    }
}
