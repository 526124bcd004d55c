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
