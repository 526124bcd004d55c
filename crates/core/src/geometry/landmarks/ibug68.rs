//! iBUG's 68 points (Sagonas et al., "300 Faces in-the-Wild", 2013).

use super::{Anatomy, Scheme, lines, mirror};

/// Points of the contour, whose pairs are `i <-> 16 - i`.
const CONTOUR: usize = 17;
/// Pairs below the contour.
const PAIRS: [(usize, usize); 21] = [
    (17, 26),
    (18, 25),
    (19, 24),
    (20, 23),
    (21, 22),
    (31, 35),
    (32, 34),
    (36, 45),
    (37, 44),
    (38, 43),
    (39, 42),
    (40, 47),
    (41, 46),
    (48, 54),
    (49, 53),
    (50, 52),
    (55, 59),
    (56, 58),
    (60, 64),
    (61, 63),
    (65, 67),
];

/// For each of the 68 iBUG points the WFLW point at the same place (`docs/design.md`, section 6).
pub const IBUG68_IN_WFLW98: [usize; 68] = [
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, // contour
    33, 34, 35, 36, 37, 42, 43, 44, 45, 46, // brows
    51, 52, 53, 54, 55, 56, 57, 58, 59, // nose
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, // eyes
    76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, // mouth
];

/// First and last point of the contour, both brows, ridge and foot of the nose, both eyes, outer and
/// inner lips.
const PARTS: [(usize, usize); 9] = [
    (0, 16),
    (17, 21),
    (22, 26),
    (27, 30),
    (31, 35),
    (36, 41),
    (42, 47),
    (48, 59),
    (60, 67),
];

impl Scheme {
    /// iBUG 300-W: 68 points, normalised by the outer eye corners 36 and 45.
    pub fn ibug68() -> Self {
        Self {
            name: "ibug68".into(),
            mirror: mirror(68, CONTOUR, &PAIRS),
            normalise: [36, 45],
            anatomy: Anatomy {
                left_eye: (36..42).collect(),
                right_eye: (42..48).collect(),
                nose: vec![30],
                mouth_left: vec![48],
                mouth_right: vec![54],
            },
            parts: lines(&PARTS),
        }
    }
}
