//! Horizontal flip.

use crate::data::FaceLabel;
use crate::geometry::{Affine, Scheme};

/// Mirrors an image of `width` pixels.
pub const fn mirror(width: f32) -> Affine {
    Affine {
        row_x: [-1.0, 0.0, width],
        row_y: [0.0, 1.0, 0.0],
    }
}

/// Give each point of a mirrored face the index of what it now is: the left eye's corner becomes
/// the right eye's. Coordinates are mirrored elsewhere, with everything else.
pub fn swap_points(face: &mut FaceLabel, scheme: &Scheme) {
    if face.landmarks.len() == scheme.len() && face.labelled.len() == scheme.len() {
        face.landmarks = scheme.mirrored(&face.landmarks);
        face.labelled = scheme.mirrored(&face.labelled);
    }
}
