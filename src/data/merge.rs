//! Faces that a landmark list leaves out, taken from a WIDER FACE list.

use super::FaceLabel;
use crate::geometry::{BoxXyxy, best_pairs};

/// Lowest IoU at which a landmark face and a WIDER box are the same face. A box around the points
/// alone overlaps the WIDER box, which reaches up to the hairline, with an IoU of 0.45 and more;
/// the boxes of neighbours in a crowd overlap far less.
pub const MATCH_IOU: f32 = 0.4;

/// What [`merge`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Faces found in both lists.
    pub matched: usize,
    /// Faces of the WIDER list only.
    pub added: usize,
}

/// Add the faces of `wider` to `faces`. A face of both lists takes the WIDER box (unless it has no
/// size) and keeps its points, even where WIDER calls it invalid; pairs are made one to one, best
/// IoU first. All others are added with their box, or as ignored.
pub fn merge(faces: &mut Vec<FaceLabel>, wider: &[FaceLabel]) -> Merged {
    let pairs = best_pairs(faces.len(), wider.len(), MATCH_IOU, |f, w| {
        likeness(&faces[f], &wider[w].box_xyxy)
    });
    let mut taken_wider = vec![false; wider.len()];
    let mut merged = Merged::default();
    for (face, pair) in faces.iter_mut().zip(pairs) {
        if let Some(w) = pair {
            taken_wider[w] = true;
            face.box_xyxy = wider[w].box_xyxy;
            merged.matched += 1;
        }
    }
    for (other, taken) in wider.iter().zip(taken_wider) {
        if !taken {
            faces.push(other.clone());
            merged.added += 1;
        }
    }
    merged
}

/// IoU with the face's box or with the bounds of its points, whichever is larger: rectangles of
/// landmark lists are drawn around the points or around the face.
fn likeness(face: &FaceLabel, other: &BoxXyxy) -> f32 {
    let bounds = face.landmarks.bounds().map_or(0.0, |b| b.iou(other));
    face.box_xyxy.iou(other).max(bounds)
}
