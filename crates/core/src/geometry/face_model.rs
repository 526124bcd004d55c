//! How a head is turned, from the points of its face and a fixed face in space.
//!
//! The face is an average adult's. Lengths between its points are those of Farkas, "Anthropometry of the
//! Head and Face" (1994), the mean of women and men, rounded: outer and inner corners of the eyes 90 and
//! 34 mm apart, mouth 54 mm wide, from the root of the nose 51 mm down to its base and 117 mm to the chin.
//! Depths cannot be told from those; the tip of the nose stands 20 mm in front of its root and the corners
//! of the eyes lie 10 and 22 mm behind it, as profiles show. The expression is at rest, and a child, an
//! open mouth or a long nose are taken for an average face that is turned otherwise: some degrees.

use super::rotation::{Rotation, cross, dot};
use super::{HeadPose, Landmarks, Scheme};

/// Points of WFLW, and where they are, mm: x to the right of the picture, y up, z to the camera, from
/// the root of the nose, the line from the ears to the eyes being level.
const FACE: [(usize, [f64; 3]); 10] = [
    (60, [-45.0, -4.0, -22.0]), // outer corner of the eye on the left
    (64, [-17.0, -4.0, -10.0]), // its inner corner
    (68, [17.0, -4.0, -10.0]),
    (72, [45.0, -4.0, -22.0]),
    (51, [0.0, -2.0, 0.0]),   // top of the ridge of the nose
    (54, [0.0, -40.0, 20.0]), // its tip
    (57, [0.0, -51.0, 8.0]),  // its base
    (76, [-27.0, -73.0, -8.0]),
    (82, [27.0, -73.0, -8.0]), // corners of the mouth
    (16, [0.0, -117.0, -3.0]), // chin
];

/// The same for the five points of any [`Anatomy`](super::landmarks::Anatomy).
const FIVE: [[f64; 3]; 5] = [
    [-31.0, -4.0, -12.0],
    [31.0, -4.0, -12.0],
    [0.0, -40.0, 20.0],
    [-27.0, -73.0, -8.0],
    [27.0, -73.0, -8.0],
];

/// How far a face that is level looks down where angles are zero, degrees: the data sets' average face,
/// made with the Basel Face Model, has its chin forward. The median over 2,800 faces of WIDER FACE and 300-W
/// whose angles InsightFace's network had told.
const TILT: f64 = 9.0;

/// Fewest points that a pose is told from.
const MIN_POINTS: usize = 5;
/// A set of points counts as flat when their volume is below this; evenly spread points have 1.
const MIN_VOLUME: f64 = 0.02;

/// A point of the picture, y up, and its place in space.
type Pair = ([f64; 2], [f64; 3]);

/// The fixed face, with the names that a scheme gives to its points.
#[derive(Clone, Debug)]
pub struct FaceModel {
    scheme: Scheme,
    /// Points of the scheme, and where they are; none: the scheme's eyes, nose and mouth.
    points: Vec<(usize, [f64; 3])>,
}

impl FaceModel {
    /// For faces labelled in `scheme`; `None` where it neither has points of WFLW nor says which of its
    /// points are the eyes, the nose and the corners of the mouth.
    pub fn of(scheme: &Scheme) -> Option<Self> {
        let twins = scheme.points_in(&Scheme::wflw98()).unwrap_or_default();
        let place = |(own, twin): (usize, Option<usize>)| {
            let (_, at) = FACE.iter().find(|(index, _)| Some(*index) == twin)?;
            Some((own, *at))
        };
        let points: Vec<_> = twins.into_iter().enumerate().filter_map(place).collect();
        let known = !points.is_empty() || scheme.has_five();
        known.then(|| Self {
            scheme: scheme.clone(),
            points,
        })
    }

    /// The turn of the fixed face under which its parallel projection comes closest to the labelled
    /// points: the affine map of least squares, and the rotation nearest to it (POS, DeMenthon and
    /// Davis, 1995, without its iterations). `None` with too few points, or where they lie so that
    /// no turn shows them.
    pub fn pose(&self, landmarks: &Landmarks) -> Option<HeadPose> {
        let pairs = self.pairs(landmarks);
        let [first, second] = affine(&pairs)?;
        // Of any length: where rows are at right angles, each finds its own.
        let third = cross(first, second);
        let length = dot(third, third).sqrt().sqrt();
        let rows = [first, second, third.map(|v| v / length)];
        let level = Rotation::nearest(rows)?;
        let tilt = Rotation::about_x(-TILT.to_radians());
        Some(HeadPose::of_rotation(&level.of(&tilt)))
    }

    /// The labelled points.
    fn pairs(&self, landmarks: &Landmarks) -> Vec<Pair> {
        let up = |[x, y]: [f32; 2]| [f64::from(x), -f64::from(y)];
        if self.points.is_empty() {
            let five = self.scheme.five_of_labelled(landmarks);
            return (five.into_iter().flatten().map(up)).zip(FIVE).collect();
        }
        let labelled = |&(index, at): &(usize, [f64; 3])| {
            let point = landmarks.labelled_at(index)?;
            Some((up(point), at))
        };
        self.points.iter().filter_map(labelled).collect()
    }
}

/// The two rows of the linear map that brings the points in space closest to those of the picture,
/// wherever both lie.
fn affine(pairs: &[Pair]) -> Option<[[f64; 3]; 2]> {
    if pairs.len() < MIN_POINTS {
        return None;
    }
    let n = pairs.len() as f64;
    let mean_of = |coordinate: &dyn Fn(&Pair) -> f64| -> f64 {
        pairs.iter().map(coordinate).sum::<f64>() / n
    };
    let space = [0, 1, 2].map(|i| mean_of(&|pair| pair.1[i]));
    let picture = [0, 1].map(|i| mean_of(&|pair| pair.0[i]));
    let mut gram = [[0.0; 3]; 3];
    let mut mixed = [[0.0; 3]; 2];
    for (to, from) in pairs {
        let from = [0, 1, 2].map(|i| from[i] - space[i]);
        for (row, &v) in gram.iter_mut().zip(&from) {
            (0..3).for_each(|j| row[j] += v * from[j]);
        }
        for (i, row) in mixed.iter_mut().enumerate() {
            (0..3).for_each(|j| row[j] += (to[i] - picture[i]) * from[j]);
        }
    }
    let [a, b, c] = gram;
    let cofactors = [cross(b, c), cross(c, a), cross(a, b)];
    let volume = dot(a, cofactors[0]);
    let even = ((a[0] + b[1] + c[2]) / 3.0).powi(3);
    // The inverse of a symmetric matrix.
    (volume >= MIN_VOLUME * even)
        .then(|| mixed.map(|row| cofactors.map(|column| dot(row, column) / volume)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Affine, Point};

    /// What a camera far away sees of the fixed face, 2.5 pixels to the millimetre.
    fn seen(pose: HeadPose, at: [f64; 3]) -> Point {
        let level = pose.rotation().of(&Rotation::about_x(TILT.to_radians())).0;
        [
            300.0 + 2.5 * dot(level[0], at) as f32,
            200.0 - 2.5 * dot(level[1], at) as f32,
        ]
    }

    fn face(scheme: &Scheme, pose: HeadPose) -> Landmarks {
        let mut points = vec![([0.0; 2], false); scheme.len()];
        for (index, at) in FaceModel::of(scheme).unwrap().points {
            points[index] = (seen(pose, at), true);
        }
        points.into_iter().collect()
    }

    fn assert_near(found: Option<HeadPose>, truth: HeadPose, limit: f32) {
        let error = found.expect("a pose").error_degrees(truth);
        assert!(
            error.iter().all(|e| *e < limit),
            "{found:?} is not {truth:?}"
        );
    }

    fn turns() -> Vec<HeadPose> {
        let angles = |n: i32| (-n..=n).map(|i| i as f32 * 20.0);
        let mut all = Vec::new();
        for pitch in angles(2) {
            for yaw in angles(4) {
                all.extend(angles(8).map(|roll| HeadPose::of_degrees([pitch, yaw, roll])));
            }
        }
        all
    }

    #[test]
    fn a_turned_face_gives_its_angles_back() {
        for scheme in [Scheme::wflw98(), Scheme::ibug68(), Scheme::lapa106()] {
            let model = FaceModel::of(&scheme).unwrap();
            for truth in turns() {
                assert_near(model.pose(&face(&scheme, truth)), truth, 0.01);
            }
        }
        let model = FaceModel::of(&Scheme::five()).unwrap();
        for truth in turns() {
            let points = Landmarks::all(FIVE.map(|at| seen(truth, at)));
            assert_near(model.pose(&points), truth, 0.01);
        }
    }

    #[test]
    fn a_picture_that_is_turned_or_mirrored_shows_the_head_so() {
        let scheme = Scheme::wflw98();
        let model = FaceModel::of(&scheme).unwrap();
        // Not the fixed face: its points are shifted unevenly.
        let truth = HeadPose::of_degrees([-10.0, 35.0, 12.0]);
        let points = face(&scheme, truth);
        let shifted = points.iter().enumerate().map(|(i, p)| {
            let push = 5.0 * (i * 37 % 11) as f32;
            ([p.at[0] + push, p.at[1] - 0.5 * push], p.labelled)
        });
        let points: Landmarks = shifted.collect();
        let found = model.pose(&points).unwrap();
        assert!(found.error_degrees(truth).iter().any(|e| *e > 0.5));
        let turn = Affine::rotation(0.6, 0.4, [10.0, 90.0]);
        assert_near(
            model.pose(&points.map(|p| turn.apply(p))),
            found.through(&turn),
            0.01,
        );
        let mirror = Affine {
            row_x: [-1.0, 0.0, 640.0],
            ..Affine::IDENTITY
        };
        let mirrored = points.map(|p| mirror.apply(p)).renamed_in_mirror(&scheme);
        assert_near(model.pose(&mirrored.unwrap()), found.through(&mirror), 0.01);
    }

    #[test]
    fn what_tells_no_turn_gives_none() {
        let scheme = Scheme::wflw98();
        let model = FaceModel::of(&scheme).unwrap();
        assert_eq!(model.pose(&Landmarks::none()), None);
        let points = face(&scheme, HeadPose::default());
        let left = |keep: &[usize]| -> Landmarks {
            let all = points.iter().enumerate();
            all.map(|(i, p)| (p.at, keep.contains(&i))).collect()
        };
        assert_eq!(model.pose(&left(&[60, 64, 54, 76])), None);
        // Eyes and mouth are nearly flat, the nose makes a body of them.
        assert_eq!(model.pose(&left(&[60, 72, 76, 82, 16])), None);
        assert!(model.pose(&left(&[60, 72, 76, 82, 54])).is_some());
        assert_eq!(model.pose(&points.map(|_| [5.0, 5.0])), None);
        assert_eq!(model.pose(&points.map(|[x, _]| [x, x])), None);
        let bare = Scheme::new("bare", 9, &[], [0, 1], Default::default(), Vec::new());
        assert!(FaceModel::of(&bare.unwrap()).is_none());
    }
}
