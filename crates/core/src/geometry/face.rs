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
