//! Faces that a list names twice.

use super::FaceLabel;
use super::list::{Faults, ListedFace, Place};

/// Two faces are not nearer to each other than this.
const SAME_BOX: f32 = 0.95;
/// Largest mean distance between the points of one face, in longer sides of their bounds: less
/// than people differ who label a face, more than lists round.
const SAME_POINTS: f32 = 0.05;

/// Counts them over the photos of a list.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    count: usize,
    /// Place of the first one, and of the face that it repeats.
    first: Option<[Place; 2]>,
}

impl Repeats {
    /// Keep each face of a photo once: the first with points, or else the first.
    pub(super) fn leave_out(&mut self, faces: &mut Vec<ListedFace>) {
        let mut kept: Vec<ListedFace> = Vec::with_capacity(faces.len());
        for face in faces.drain(..) {
            match kept.iter_mut().find(|k| is_same(&k.label, &face.label)) {
                None => kept.push(face),
                Some(earlier) => {
                    self.count += 1;
                    self.first.get_or_insert([face.place, earlier.place]);
                    if !earlier.label.has_landmarks() {
                        earlier.label = face.label;
                    }
                }
            }
        }
        *faces = kept;
    }

    /// Say what was found.
    pub(super) fn note(&self, faults: &mut Faults<'_>) {
        if let Some([place, earlier]) = self.first {
            faults.note(&format!(
                "faces listed twice, which count once: {}; the first stands in {}, as in {}",
                self.count,
                place.in_words(),
                earlier.in_words()
            ));
        }
    }
}

fn is_same(a: &FaceLabel, b: &FaceLabel) -> bool {
    // What is ignored does not count anyway.
    !a.ignored && !b.ignored && a.box_xyxy.iou(&b.box_xyxy) > SAME_BOX && points_agree(a, b)
}

/// Whether the points say nothing against two faces being one.
fn points_agree(a: &FaceLabel, b: &FaceLabel) -> bool {
    let Some(bounds) = a.landmarks.bounds().filter(|_| b.has_landmarks()) else {
        return true;
    };
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, p) in a.landmarks.iter().enumerate().filter(|(_, p)| p.labelled) {
        if let Some(q) = b.landmarks.labelled_at(i) {
            sum += (p.at[0] - q[0]).hypot(p.at[1] - q[1]);
            count += 1.0;
        }
    }
    sum <= SAME_POINTS * bounds.longer_side() * count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{BoxXyxy, Landmarks};

    fn face(line: usize, x: f32, points: &[[f32; 2]]) -> ListedFace {
        let label = FaceLabel {
            landmarks: Landmarks::all(points.iter().copied()),
            ..FaceLabel::boxed(BoxXyxy::from_xywh(x, 0.0, 100.0, 100.0))
        };
        ListedFace {
            place: line.into(),
            label,
        }
    }

    fn kept(mut faces: Vec<ListedFace>) -> (Vec<Place>, Repeats) {
        let mut repeats = Repeats::default();
        repeats.leave_out(&mut faces);
        (faces.iter().map(|f| f.place).collect(), repeats)
    }

    #[test]
    fn one_face_in_two_lines_counts_once() {
        let points = [[10.0, 10.0], [60.0, 50.0]];
        let nearly = points.map(|[x, y]| [x + 2.0, y]);
        let other = points.map(|[x, y]| [x + 10.0, y]);
        let (lines, repeats) = kept(vec![
            face(1, 0.0, &points),
            face(2, 0.0, &other),
            face(3, 1.0, &nearly),
            face(4, 9.0, &points),
            face(5, 0.0, &[]),
        ]);
        assert_eq!(lines, [1, 2, 4].map(Place::from));
        assert_eq!(
            (repeats.count, repeats.first),
            (2, Some([3, 1].map(Place::from)))
        );
    }

    #[test]
    fn points_are_not_lost_and_ignored_faces_are_let_be() {
        let mut faces = vec![face(1, 0.0, &[]), face(2, 0.0, &[[5.0, 6.0], [7.0, 8.0]])];
        Repeats::default().leave_out(&mut faces);
        assert!(faces.len() == 1 && faces[0].label.has_landmarks());
        let mut ignored = face(2, 0.0, &[]);
        ignored.label.ignored = true;
        let (lines, repeats) = kept(vec![face(1, 0.0, &[]), ignored.clone(), ignored]);
        assert_eq!((lines.len(), repeats.count), (3, 0));
    }
}
