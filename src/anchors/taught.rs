//! What a teacher says about the anchors of a crop.

use crate::geometry::BoxXyxy;

/// What a teacher says about the anchors of a crop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taught {
    /// Of every anchor, 0 to 1.
    pub scores: Vec<f32>,
    /// Anchors whose boxes count.
    pub sure: Vec<Sure>,
}

/// An anchor that a teacher takes for a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sure {
    /// Its index.
    pub anchor: usize,
    /// The learner's anchor of this index.
    pub anchor_cxcywh: [f32; 4],
    /// Of the teacher.
    pub score: f32,
    /// Where the teacher sees the face, pixels of the crop.
    pub box_xyxy: BoxXyxy,
}
