//! Landmarks of one scheme as labels of another.

use anyhow::{Result, ensure};

use crate::geometry::{Landmarks, Point, Scheme};

/// For each point of the model's scheme the points of the list whose mean it is; none: unlabelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converter {
    sources: Vec<Vec<usize>>,
    /// Points of the list's scheme.
    points: usize,
}

impl Converter {
    /// How faces labelled in `from` serve a model of `to`; `None` when the two have no known
    /// relation.
    pub fn between(from: &Scheme, to: &Scheme) -> Option<Self> {
        let mut sources = vec![Vec::new(); to.len()];
        if let Some(map) = from.points_in(to) {
            for (source, target) in map.into_iter().enumerate() {
                if let Some(target) = target {
                    sources[target].push(source);
                }
            }
        } else if *to == Scheme::five() {
            let a = from.anatomy();
            let groups = [
                &a.left_eye,
                &a.right_eye,
                &a.nose,
                &a.mouth_left,
                &a.mouth_right,
            ];
            if groups.iter().any(|g| g.is_empty()) {
                return None;
            }
            sources = groups.map(Clone::clone).to_vec();
        } else {
            return None;
        }
        Some(Self {
            sources,
            points: from.len(),
        })
    }

    /// The landmarks of a face, which are in the list's scheme, in the model's.
    ///
    /// # Errors
    /// When they are not in the list's scheme.
    pub fn apply(&self, landmarks: &Landmarks) -> Result<Landmarks> {
        if !landmarks.any_labelled() {
            return Ok(Landmarks::none());
        }
        ensure!(
            landmarks.len() == self.points,
            "a face has {} landmarks; its list's scheme has {}",
            landmarks.len(),
            self.points
        );
        Ok(self.sources.iter().map(|s| mean(landmarks, s)).collect())
    }
}

/// The mean of the points of a `group`, and whether all of them (and at least one) are labelled.
fn mean(landmarks: &Landmarks, group: &[usize]) -> (Point, bool) {
    let points: Option<Vec<Point>> = group.iter().map(|&i| landmarks.labelled_at(i)).collect();
    let points = points.unwrap_or_default();
    let n = points.len() as f32;
    let mean = points
        .iter()
        .fold([0.0; 2], |[x, y], p| [x + p[0] / n, y + p[1] / n]);
    (mean, !points.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_many_points_teach_five() {
        // Eyes around (20, 30) and (60, 30): all other points where they would be seen.
        for (scheme, [left, right, nose, mouth_left, mouth_right]) in [
            (Scheme::wflw98(), [60, 68, 54, 76, 82]),
            (Scheme::ibug68(), [36, 42, 30, 48, 54]),
        ] {
            let eye = right - left;
            let at = |i: usize| -> Point {
                let around = |x: f32, k: usize| [x + k as f32 - (eye - 1) as f32 / 2.0, 30.0];
                match i {
                    i if (left..right).contains(&i) => around(20.0, i - left),
                    i if (right..right + eye).contains(&i) => around(60.0, i - right),
                    i if i == nose => [40.0, 50.0],
                    i if i == mouth_left => [25.0, 70.0],
                    i if i == mouth_right => [55.0, 71.0],
                    _ => [900.0, 900.0],
                }
            };
            let converter = Converter::between(&scheme, &Scheme::five()).unwrap();
            let labels = |hidden: usize| {
                let points = (0..scheme.len()).map(|i| (at(i), i != hidden)).collect();
                converter.apply(&points).unwrap()
            };
            let five = labels(0);
            let expected = [
                [20.0, 30.0],
                [60.0, 30.0],
                [40.0, 50.0],
                [25.0, 70.0],
                [55.0, 71.0],
            ];
            for (point, expected) in five.iter().zip(expected) {
                let [x, y] = [0, 1].map(|axis| (point.at[axis] - expected[axis]).abs());
                assert!(point.labelled && x < 1e-4 && y < 1e-4, "{point:?}");
            }
            // A corner of an eye that nobody has seen: no centre.
            let labelled: Vec<bool> = labels(right).iter().map(|p| p.labelled).collect();
            assert_eq!(labelled, [true, false, true, true, true]);
        }
    }
}
