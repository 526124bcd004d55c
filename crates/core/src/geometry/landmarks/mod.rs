//! Landmark schemes: how many points, which mirror which, and which normalise the error.

mod five;
mod ibug68;
mod lapa106;
mod relation;
mod wflw98;

use super::{Landmarks, Point};
use crate::error::{Result, ensure};

pub use ibug68::IBUG68_IN_WFLW98;

/// A set of landmarks: 5, 68, 98, 106 or a custom one.
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

    /// All schemes that need no description of their own.
    pub fn built_in() -> [Self; 4] {
        [
            Self::five(),
            Self::ibug68(),
            Self::wflw98(),
            Self::lapa106(),
        ]
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

    /// Whether it says where eyes, nose and mouth corners are.
    pub fn knows_five(&self) -> bool {
        self.anatomy.groups().iter().all(|group| !group.is_empty())
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
}

/// The points of a face that is its own mirror image but for a contour of `contour` points, which
/// is turned round, and `pairs`, which change places.
fn mirror(points: usize, contour: usize, pairs: &[(usize, usize)]) -> Vec<usize> {
    let mut mirror: Vec<usize> = (0..points).collect();
    mirror[..contour].reverse();
    for &(a, b) in pairs {
        (mirror[a], mirror[b]) = (b, a);
    }
    mirror
}

/// Runs of points from the first to the last of each.
fn lines(ends: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let all = ends.iter();
    all.map(|&(first, last)| (first..=last).collect()).collect()
}

#[cfg(test)]
mod tests;
