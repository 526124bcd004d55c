//! How well anchors fit faces.

use retinamark_core::geometry::BoxXyxy;

/// One number for each anchor and face.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    anchors: usize,
    values: Vec<f32>,
}

impl Quality {
    /// What `of` says of each of the `anchors` and `faces`.
    pub fn new(
        anchors: &[BoxXyxy],
        faces: &[BoxXyxy],
        of: impl Fn(&BoxXyxy, &BoxXyxy) -> f32,
    ) -> Self {
        let of = &of;
        let rows = faces
            .iter()
            .flat_map(|face| anchors.iter().map(move |anchor| of(anchor, face)));
        Self {
            anchors: anchors.len(),
            values: rows.collect(),
        }
    }

    /// The overlap of anchors and faces.
    pub fn iou(anchors: &[BoxXyxy], faces: &[BoxXyxy]) -> Self {
        Self::new(anchors, faces, BoxXyxy::iou)
    }

    /// Number of anchors.
    pub const fn anchors(&self) -> usize {
        self.anchors
    }

    /// For each face how well every anchor fits it.
    pub fn faces(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.anchors.max(1))
    }
}
