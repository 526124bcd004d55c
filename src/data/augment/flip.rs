//! Horizontal flip.

use crate::geometry::Affine;

/// Mirrors an image of `width` pixels.
pub const fn mirror(width: f32) -> Affine {
    Affine {
        row_x: [-1.0, 0.0, width],
        row_y: [0.0, 1.0, 0.0],
    }
}
