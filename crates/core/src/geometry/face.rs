//! A detected face.

use super::{BoxXyxy, HeadPose, Point};

/// One detection, in pixels of the upright photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Bounding box.
    pub box_xyxy: BoxXyxy,
    /// Probability that this is a face, 0 to 1.
    pub score: f32,
    /// Landmarks in the order of the model's scheme.
    pub landmarks: Vec<Point>,
    /// Confidence of each landmark, 0 to 1, when the model gives one.
    pub landmark_scores: Option<Vec<f32>>,
    /// How the head is turned, when the model tells.
    pub pose: Option<HeadPose>,
}

/// Landmarks whose confidences are lower than this in the mean are not to be trusted.
pub const TRUSTED: f32 = 0.6;

impl Face {
    /// The same face, `by` pixels farther to the right and down.
    #[must_use]
    pub fn moved(mut self, by: Point) -> Self {
        self.box_xyxy = self.box_xyxy.transformed(1.0, by);
        for [x, y] in &mut self.landmarks {
            *x += by[0];
            *y += by[1];
        }
        self
    }

    /// The mean confidence of its landmarks: the share of them that is expected to be close to the
    /// truth. `None` when the model gives none.
    pub fn confidence(&self) -> Option<f32> {
        let scores = self.landmark_scores.as_ref()?;
        let sum: f32 = scores.iter().sum();
        (!scores.is_empty()).then(|| sum / scores.len() as f32)
    }

    /// Whether its landmarks are not to be trusted; see [`TRUSTED`].
    pub fn is_unsure(&self) -> bool {
        self.confidence().is_some_and(|c| c < TRUSTED)
    }
}
