//! Landmarks of one scheme as labels of another.

use super::FaceLabel;
use crate::geometry::Scheme;

/// For each point of the model's scheme the points of the list whose mean it is; none: unlabelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converter {
    sources: Vec<Vec<usize>>,
}

impl Converter {
    /// How faces labelled in `from` serve a model of `to`; `None` when the two have no known
    /// relation.
    pub fn between(from: &Scheme, to: &Scheme) -> Option<Self> {
        let mut sources = vec![Vec::new(); to.len()];
        if let Some(map) = from.points_in(to) {
            for (source, &target) in map.iter().enumerate() {
                sources[target].push(source);
            }
        } else if let Some(map) = to.points_in(from) {
            for (target, &source) in map.iter().enumerate() {
                sources[target].push(source);
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
        Some(Self { sources })
    }

    /// Replace the landmarks of `face`, which are in the list's scheme.
    pub fn apply(&self, face: &mut FaceLabel) {
        if !face.has_landmarks() {
            return face.clear_landmarks();
        }
        let convert = |group: &Vec<usize>| {
            let labelled = !group.is_empty() && group.iter().all(|&i| face.labelled[i]);
            let mut mean = [0.0; 2];
            if labelled {
                for &i in group {
                    mean[0] += face.landmarks[i][0] / group.len() as f32;
                    mean[1] += face.landmarks[i][1] / group.len() as f32;
                }
            }
            (mean, labelled)
        };
        (face.landmarks, face.labelled) = self.sources.iter().map(convert).unzip();
    }
}
