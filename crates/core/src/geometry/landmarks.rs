//! Landmark schemes: how many points, which mirror which, and which normalise the error.

use super::{Landmarks, Point};
use crate::error::{Result, ensure};

/// A set of landmarks: 5, 68, 98 or a custom one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    name: String,
    mirror: Vec<usize>,
    normalise: [usize; 2],
    anatomy: Anatomy,
    parts: Vec<Vec<usize>>,
}

/// Which points make up the eyes and the mouth corners, "left" being the left of the picture.
/// Aligned crops need them; a custom scheme may leave them empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// Points whose mean is the centre of the eye on the left of the picture.
    pub left_eye: Vec<usize>,
    /// Points whose mean is the centre of the eye on the right of the picture.
    pub right_eye: Vec<usize>,
    /// Tip of the nose.
    pub nose: Vec<usize>,
    /// Mouth corner on the left of the picture.
    pub mouth_left: Vec<usize>,
    /// Mouth corner on the right of the picture.
    pub mouth_right: Vec<usize>,
}

impl Anatomy {
    fn groups(&self) -> [&Vec<usize>; 5] {
        [
            &self.left_eye,
            &self.right_eye,
            &self.nose,
            &self.mouth_left,
            &self.mouth_right,
        ]
    }
}

/// WFLW pairs below the contour (whose pairs are `i <-> 32 - i`); see `docs/design.md`, section 6.
const WFLW98_PAIRS: [(usize, usize); 28] = [
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

/// iBUG 300-W pairs below the contour (whose pairs are `i <-> 16 - i`).
const IBUG68_PAIRS: [(usize, usize); 21] = [
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

/// First and last point of the contour, both brows, ridge and foot of the nose, both eyes, outer and
/// inner lips of WFLW; the pupils stand alone.
const WFLW98_PARTS: [(usize, usize); 9] = [
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

/// The same of iBUG 300-W.
const IBUG68_PARTS: [(usize, usize); 9] = [
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
    /// A scheme, whose name is `name`. Points not named in `pairs` mirror onto themselves.
    ///
    /// # Errors
    /// When an index is out of range, a point stands in two pairs, both normalising points are the
    /// same, or a part has fewer than two points.
    pub fn new(
        name: &str,
        points: usize,
        pairs: &[(usize, usize)],
        normalise: [usize; 2],
        anatomy: Anatomy,
        parts: Vec<Vec<usize>>,
    ) -> Result<Self> {
        ensure!(
            points > 0,
            Settings,
            "landmarks.custom.points must be at least 1"
        );
        let mut mirror: Vec<usize> = (0..points).collect();
        for &(a, b) in pairs {
            ensure!(
                a < points && b < points,
                Settings,
                "flip pair [{a}, {b}] names a point beyond the last one, {}",
                points - 1
            );
            ensure!(
                a != b && mirror[a] == a && mirror[b] == b,
                Settings,
                "flip pair [{a}, {b}]: a point may stand in one pair only"
            );
            (mirror[a], mirror[b]) = (b, a);
        }
        let [p, q] = normalise;
        ensure!(
            p < points && q < points && (p != q || points == 1),
            Settings,
            "the normalising points [{p}, {q}] must be two different points below {points}"
        );
        for &index in anatomy.groups().into_iter().flatten() {
            ensure!(
                index < points,
                Settings,
                "anatomy names point {index}, beyond the last one, {}",
                points - 1
            );
        }
        for part in &parts {
            ensure!(
                part.len() >= 2 && part.iter().all(|&index| index < points),
                Settings,
                "part {part:?} must have at least two points, each below {points}"
            );
        }
        Ok(Self {
            name: name.to_owned(),
            mirror,
            normalise,
            anatomy,
            parts,
        })
    }

    /// WFLW: 98 points, normalised by the outer eye corners 60 and 72.
    pub fn wflw98() -> Self {
        let mut mirror: Vec<usize> = (0..98).collect();
        mirror[..=32].reverse();
        swap_pairs(&mut mirror, &WFLW98_PAIRS);
        Self {
            name: "wflw98".into(),
            mirror,
            normalise: [60, 72],
            anatomy: Anatomy {
                left_eye: (60..68).collect(),
                right_eye: (68..76).collect(),
                nose: vec![54],
                mouth_left: vec![76],
                mouth_right: vec![82],
            },
            parts: lines(&WFLW98_PARTS),
        }
    }

    /// iBUG 300-W: 68 points, normalised by the outer eye corners 36 and 45.
    pub fn ibug68() -> Self {
        let mut mirror: Vec<usize> = (0..68).collect();
        mirror[..=16].reverse();
        swap_pairs(&mut mirror, &IBUG68_PAIRS);
        Self {
            name: "ibug68".into(),
            mirror,
            normalise: [36, 45],
            anatomy: Anatomy {
                left_eye: (36..42).collect(),
                right_eye: (42..48).collect(),
                nose: vec![30],
                mouth_left: vec![48],
                mouth_right: vec![54],
            },
            parts: lines(&IBUG68_PARTS),
        }
    }

    /// RetinaFace's five points: eyes, nose, mouth corners; normalised by the eyes.
    pub fn five() -> Self {
        Self {
            name: "five".into(),
            mirror: vec![1, 0, 2, 4, 3],
            normalise: [0, 1],
            anatomy: Anatomy {
                left_eye: vec![0],
                right_eye: vec![1],
                nose: vec![2],
                mouth_left: vec![3],
                mouth_right: vec![4],
            },
            parts: Vec::new(),
        }
    }

    /// Its name, as the config spells it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.mirror.len()
    }

    /// A scheme always has points.
    pub fn is_empty(&self) -> bool {
        self.mirror.is_empty()
    }

    /// For each point the index of its mirror image; an involution.
    pub fn mirror(&self) -> &[usize] {
        &self.mirror
    }

    /// The two points whose distance divides the error (NME).
    pub const fn normalise(&self) -> [usize; 2] {
        self.normalise
    }

    /// Where the eyes and the mouth are.
    pub const fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    /// Points that follow one another along a line of the face, such as an eye; none where the scheme
    /// does not say.
    pub fn parts(&self) -> &[Vec<usize>] {
        &self.parts
    }

    /// Reorder per-point values as a horizontal flip does: entry `i` of the result is the value
    /// of the point that becomes `i` in the mirror.
    ///
    /// # Errors
    /// When there are more or fewer values than points.
    pub fn mirrored<T: Copy>(&self, values: &[T]) -> Result<Vec<T>> {
        ensure!(
            values.len() == self.len(),
            Landmarks,
            "{} points cannot be mirrored as those of {}, which has {}",
            values.len(),
            self.name,
            self.len()
        );
        Ok(self.mirror.iter().map(|&i| values[i]).collect())
    }

    /// Eye centres, nose and mouth corners of a face, in the order of the five-point scheme;
    /// `None` when the scheme does not say where they are or the face has other points.
    pub fn five_of(&self, landmarks: &[Point]) -> Option<[Point; 5]> {
        self.five_where(landmarks.len(), |i| landmarks.get(i).copied())
    }

    /// [`Self::five_of`] from the labelled points only; `None` when one of the five has none.
    pub fn five_of_labelled(&self, landmarks: &Landmarks) -> Option<[Point; 5]> {
        self.five_where(landmarks.len(), |i| landmarks.labelled_at(i))
    }

    /// From the points that `at` gives, of a face of `len` points.
    fn five_where(&self, len: usize, at: impl Fn(usize) -> Option<Point>) -> Option<[Point; 5]> {
        if len != self.len() {
            return None;
        }
        let mut five = [[0.0; 2]; 5];
        for (out, group) in five.iter_mut().zip(self.anatomy.groups()) {
            let points = || group.iter().filter_map(|&i| at(i));
            let n = points().count() as f32;
            if n == 0.0 {
                return None;
            }
            for [x, y] in points() {
                out[0] += x / n;
                out[1] += y / n;
            }
        }
        Some(five)
    }

    /// Whether a face looks aside, beyond about 30 degrees: the tip of the nose, projected onto
    /// the line between the eyes, lies outside its middle half. `false` when the scheme or the
    /// labels do not say.
    pub fn is_turned(&self, landmarks: &Landmarks) -> bool {
        let Some([left, right, nose, ..]) = self.five_of_labelled(landmarks) else {
            return false;
        };
        let eyes = [right[0] - left[0], right[1] - left[1]];
        let along = (nose[0] - left[0]) * eyes[0] + (nose[1] - left[1]) * eyes[1];
        let place = along / (eyes[0] * eyes[0] + eyes[1] * eyes[1]);
        !(0.25..=0.75).contains(&place)
    }

    /// For each point of `self`, which point of `of` it is, when faces labelled in `self` train a
    /// model of `of` (or the other way round); `None` when the two have no known relation.
    pub fn points_in(&self, of: &Self) -> Option<Vec<usize>> {
        match (self.name.as_str(), of.name.as_str()) {
            (a, b) if a == b && self == of => Some((0..self.len()).collect()),
            ("ibug68", "wflw98") => Some(IBUG68_IN_WFLW98.to_vec()),
            _ => None,
        }
    }
}

fn swap_pairs(mirror: &mut [usize], pairs: &[(usize, usize)]) {
    for &(a, b) in pairs {
        (mirror[a], mirror[b]) = (b, a);
    }
}

fn lines(ends: &[(usize, usize)]) -> Vec<Vec<usize>> {
    ends.iter()
        .map(|&(first, last)| (first..=last).collect())
        .collect()
}

/// For each of the 68 iBUG points the WFLW point at the same place (`docs/design.md`, section 6).
pub const IBUG68_IN_WFLW98: [usize; 68] = [
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, // contour
    33, 34, 35, 36, 37, 42, 43, 44, 45, 46, // brows
    51, 52, 53, 54, 55, 56, 57, 58, 59, // nose
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, // eyes
    76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, // mouth
];

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_involution(s: &Scheme) {
        for i in 0..s.len() {
            assert_eq!(s.mirror()[s.mirror()[i]], i, "{} point {i}", s.name());
        }
    }

    #[test]
    fn mirrors_are_involutions_with_the_right_fixed_points() {
        for s in [Scheme::wflw98(), Scheme::ibug68(), Scheme::five()] {
            assert_involution(&s);
        }
        let s = Scheme::wflw98();
        let fixed: Vec<usize> = (0..98).filter(|&i| s.mirror()[i] == i).collect();
        assert_eq!(fixed, [16, 51, 52, 53, 54, 57, 79, 85, 90, 94]);
        assert_eq!((s.mirror()[0], s.mirror()[5], s.mirror()[95]), (32, 27, 93));
    }

    #[test]
    fn the_68_point_mirror_agrees_with_the_98_point_one() {
        let (s68, s98) = (Scheme::ibug68(), Scheme::wflw98());
        let map = s68.points_in(&s98).unwrap();
        for i in 0..68 {
            assert_eq!(map[s68.mirror()[i]], s98.mirror()[map[i]], "point {i}");
        }
    }

    #[test]
    fn a_nose_beside_the_eyes_is_a_turned_face() {
        let s = Scheme::five();
        let face =
            |nose| Landmarks::all([[0.0, 0.0], [40.0, 10.0], nose, [5.0, 40.0], [35.0, 50.0]]);
        assert!(!s.is_turned(&face([15.0, 25.0])));
        assert!(s.is_turned(&face([38.0, 25.0])));
        assert!(s.is_turned(&face([-6.0, 20.0])));
        let no_right_eye = face([38.0, 25.0]).masked(|[x, _]| x < 40.0);
        assert!(!s.is_turned(&no_right_eye));
    }

    #[test]
    fn landmarks_of_another_scheme_have_no_five() {
        let five = |count| Scheme::five().five_of(&vec![[1.0, 2.0]; count]);
        assert_eq!(five(5), Some([[1.0, 2.0]; 5]));
        assert_eq!((five(4), five(6)), (None, None));
    }

    #[test]
    fn a_custom_scheme_is_checked() {
        let of = |pairs: &[(usize, usize)], normalise, parts: &[&[usize]]| {
            let parts = parts.iter().map(|part| part.to_vec()).collect();
            Scheme::new("c", 3, pairs, normalise, Anatomy::default(), parts)
        };
        assert!(of(&[(0, 2)], [0, 2], &[]).is_ok());
        assert!(of(&[(0, 3)], [0, 2], &[]).is_err());
        assert!(of(&[(0, 2), (2, 1)], [0, 2], &[]).is_err());
        assert!(of(&[(0, 2), (1, 2)], [0, 2], &[]).is_err());
        assert!(of(&[], [1, 1], &[]).is_err());
        assert_eq!(of(&[], [0, 2], &[&[2, 0]]).unwrap().parts(), [[2, 0]]);
        assert!(of(&[], [0, 2], &[&[2, 3]]).is_err());
        assert!(of(&[], [0, 2], &[&[2]]).is_err());
    }

    /// A part in the mirror is a part, and those of 68 points are those of 98.
    #[test]
    fn parts_agree_with_mirrors_and_between_schemes() {
        let sorted = |part: &[usize], map: &dyn Fn(usize) -> usize| {
            let mut part: Vec<usize> = part.iter().map(|&i| map(i)).collect();
            part.sort_unstable();
            part
        };
        let (s68, s98) = (Scheme::ibug68(), Scheme::wflw98());
        for s in [&s68, &s98] {
            let all: Vec<usize> = s.parts().concat();
            assert_eq!((s.parts().len(), all[0]), (9, 0));
            assert!(
                all.windows(2).all(|w| w[0] + 1 == w[1]),
                "no point is left out"
            );
            for part in s.parts() {
                let mirror = sorted(part, &|i| s.mirror()[i]);
                assert!(s.parts().contains(&mirror), "{} {part:?}", s.name());
            }
        }
        assert_eq!(*s68.parts().concat().last().unwrap(), 67);
        assert_eq!(*s98.parts().concat().last().unwrap(), 95); // then the pupils
        let map = s68.points_in(&s98).unwrap();
        for (p68, p98) in s68.parts().iter().zip(s98.parts()) {
            assert!(p68.iter().all(|&i| p98.contains(&map[i])), "{p68:?}");
        }
    }
}
