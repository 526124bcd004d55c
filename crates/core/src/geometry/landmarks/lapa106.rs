//! LaPa's 106 points (Liu et al., "A New Dataset and Boundary-Attention Semantic Segmentation for Face
//! Parsing", AAAI 2020), counted from 0.
//!
//! | part | points |
//! |---|---|
//! | contour, from the left of the picture to its right | 0-32 |
//! | brows: upper edge, then lower edge | 33-37, 38-41 and 42-46, 47-50 |
//! | nose: bridge with its tip 54; wings and base around 60 | 51-54; 55-65 |
//! | eyes: corners and lids clockwise, then a point inside | 66-73, 74 and 75-82, 83 |
//! | mouth: outer edge, inner edge | 84-95, 96-103 |
//! | centres of the eyes | 104, 105 |
//!
//! Pairs are those of MMPose (`configs/_base_/datasets/lapa.py`); nose tip, mouth corners and centres of
//! the eyes those of FaceX-Zoo (`face_sdk/utils/lms_trans.py`), whose authors made the set.

use super::{Anatomy, Scheme, lines, mirror};

/// Points of the contour, whose pairs are `i <-> 32 - i`.
const CONTOUR: usize = 33;
/// Pairs below the contour.
const PAIRS: [(usize, usize); 32] = [
    (33, 46),
    (34, 45),
    (35, 44),
    (36, 43),
    (37, 42),
    (38, 50),
    (39, 49),
    (40, 48),
    (41, 47),
    (55, 65),
    (56, 64),
    (57, 63),
    (58, 62),
    (59, 61),
    (66, 79),
    (67, 78),
    (68, 77),
    (69, 76),
    (70, 75),
    (71, 82),
    (72, 81),
    (73, 80),
    (74, 83),
    (84, 90),
    (85, 89),
    (86, 88),
    (91, 95),
    (92, 94),
    (96, 100),
    (97, 99),
    (101, 103),
    (104, 105),
];

/// Runs of points that lie at the same place in WFLW: first point of LaPa, first of WFLW, how many. Brows,
/// bridge, eyes and mouth are laid out alike. LaPa's contour begins higher, and its nose wings have
/// other points: these are left out.
pub(super) const LAPA106_AND_WFLW98: [(usize, usize, usize); 4] =
    [(33, 33, 22), (66, 60, 8), (75, 68, 8), (84, 76, 20)];

/// First and last point of the contour, both brows, ridge and foot of the nose, both eyes, outer and
/// inner lips; the centres of the eyes stand alone.
const PARTS: [(usize, usize); 9] = [
    (0, 32),
    (33, 41),
    (42, 50),
    (51, 54),
    (55, 65),
    (66, 73),
    (75, 82),
    (84, 95),
    (96, 103),
];

impl Scheme {
    /// LaPa: 106 points, normalised by the outer eye corners 66 and 79.
    pub fn lapa106() -> Self {
        Self {
            name: "lapa106".into(),
            mirror: mirror(106, CONTOUR, &PAIRS),
            normalise: [66, 79],
            anatomy: Anatomy {
                left_eye: (66..74).collect(),
                right_eye: (75..83).collect(),
                nose: vec![54],
                mouth_left: vec![84],
                mouth_right: vec![90],
            },
            parts: lines(&PARTS),
        }
    }
}
