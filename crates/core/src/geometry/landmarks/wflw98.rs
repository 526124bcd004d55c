//! WFLW's 98 points (Wu et al., "Look at Boundary", CVPR 2018).

use super::{Anatomy, Scheme, lines, mirror};

/// Points of the contour, whose pairs are `i <-> 32 - i`.
const CONTOUR: usize = 33;
/// Pairs below the contour; see `docs/design.md`, section 6.
const PAIRS: [(usize, usize); 28] = [
    (33, 46),
    (34, 45),
    (35, 44),
    (36, 43),
    (37, 42),
    (38, 50),
    (39, 49),
    (40, 48),
    (41, 47),
    (60, 72),
    (61, 71),
    (62, 70),
    (63, 69),
    (64, 68),
    (65, 75),
    (66, 74),
    (67, 73),
    (55, 59),
    (56, 58),
    (76, 82),
    (77, 81),
    (78, 80),
    (87, 83),
    (86, 84),
    (88, 92),
    (89, 91),
    (95, 93),
    (96, 97),
];

/// First and last point of the contour, both brows, ridge and foot of the nose, both eyes, outer and
/// inner lips; the pupils stand alone.
const PARTS: [(usize, usize); 9] = [
    (0, 32),
    (33, 41),
    (42, 50),
    (51, 54),
    (55, 59),
    (60, 67),
    (68, 75),
    (76, 87),
    (88, 95),
];

impl Scheme {
    /// WFLW: 98 points, normalised by the outer eye corners 60 and 72.
    pub fn wflw98() -> Self {
        Self {
            name: "wflw98".into(),
            mirror: mirror(98, CONTOUR, &PAIRS),
            normalise: [60, 72],
            anatomy: Anatomy {
                left_eye: (60..68).collect(),
                right_eye: (68..76).collect(),
                nose: vec![54],
                mouth_left: vec![76],
                mouth_right: vec![82],
            },
            parts: lines(&PARTS),
        }
    }
}
