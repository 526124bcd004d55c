//! The coordinates of 300-W's `.pts` files (Sagonas et al., "300 Faces in-the-Wild", 2013).
//!
//! Matlab wrote them, where the first pixel has its centre at 1. Here that centre lies at 0.5
//! (pixel `i` covers `[i, i + 1)`); for menpo, which subtracts 1, at 0. All three mean the same
//! place.

use super::Point;

/// How far Matlab's numbers are ahead of ours.
const AHEAD: f32 = 0.5;

/// A point of a `.pts` file in pixels of the photo.
pub const fn from_pts([x, y]: Point) -> Point {
    [x - AHEAD, y - AHEAD]
}

/// A point of the photo as a `.pts` file has it.
pub const fn to_pts([x, y]: Point) -> Point {
    [x + AHEAD, y + AHEAD]
}
