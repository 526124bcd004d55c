//! Detections whose second looks end on the same face.
//!
//! A box between two faces, or around half of one, overlaps the right box too little for
//! non-maximum suppression; the aligner then moves its points onto the face beside it.

use crate::geometry::{BoxXyxy, Face, Point};

/// Two detections are of one face when their points lie less than this apart in the mean, in longer
/// sides of the smaller one's points. On labelled photos no two people come nearer than .9, cheek to
/// cheek; detections of one face lie below .1, mostly.
const SAME: f32 = 0.25;

/// Of detections whose points coincide only the best one stays, in the box that lies best around its
/// points: the surest box need not be the one on the face. `faces` are best first, and those without
/// points all stay.
pub fn remove(faces: &mut Vec<Face>) {
    let mut shapes: Vec<(usize, Shape)> = Vec::new();
    let mut kept: Vec<Face> = Vec::with_capacity(faces.len());
    for face in faces.drain(..) {
        let shape = Shape::of(&face.landmarks);
        let twin = shape.as_ref().and_then(|shape| {
            let mut before = shapes.iter();
            before.find(|(_, other)| other.coincides(shape))
        });
        if let Some((index, shape)) = twin {
            let fits = |face: &Face| shape.bounds.iou(&face.box_xyxy);
            if fits(&face) > fits(&kept[*index]) {
                kept[*index].box_xyxy = face.box_xyxy;
            }
            continue;
        }
        shapes.extend(shape.map(|shape| (kept.len(), shape)));
        kept.push(face);
    }
    *faces = kept;
}

struct Shape {
    points: Vec<Point>,
    bounds: BoxXyxy,
    centre: Point,
    side: f32,
}

impl Shape {
    fn of(points: &[Point]) -> Option<Self> {
        let bounds = BoxXyxy::around(points).filter(BoxXyxy::has_size)?;
        let sum = points
            .iter()
            .fold([0.0; 2], |[x, y], p| [x + p[0], y + p[1]]);
        Some(Self {
            centre: sum.map(|v| v / points.len() as f32),
            side: bounds.longer_side(),
            points: points.to_vec(),
            bounds,
        })
    }

    fn coincides(&self, other: &Self) -> bool {
        let limit = SAME * self.side.min(other.side);
        // The centres are never farther apart than the points are in the mean.
        if distance(self.centre, other.centre) >= limit {
            return false;
        }
        let pairs = self.points.iter().zip(&other.points);
        let sum: f32 = pairs.map(|(&a, &b)| distance(a, b)).sum();
        sum / (self.points.len() as f32) < limit
    }
}

fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face of 100 pixels, its points moved by `at` and scaled about their middle.
    fn face(score: f32, at: Point, scale: f32) -> Face {
        let points = [
            [0.0, 0.0],
            [100.0, 0.0],
            [50.0, 50.0],
            [0.0, 100.0],
            [100.0, 100.0],
        ];
        Face {
            box_xyxy: [0.0, 0.0, 100.0, 100.0].into(),
            score,
            landmarks: points
                .map(|p| [0, 1].map(|i| (p[i] - 50.0) * scale + 50.0 + at[i]))
                .to_vec(),
            landmark_scores: None,
            pose: None,
        }
    }

    fn left(mut faces: Vec<Face>) -> Vec<f32> {
        remove(&mut faces);
        faces.iter().map(|face| face.score).collect()
    }

    #[test]
    fn of_two_on_one_face_the_better_one_stays() {
        let one = face(0.9, [0.0, 0.0], 1.0);
        assert_eq!(left(vec![one.clone(), face(0.8, [24.0, 0.0], 1.0)]), [0.9]);
        assert_eq!(
            left(vec![one.clone(), face(0.8, [26.0, 0.0], 1.0)]),
            [0.9, 0.8]
        );
        // The one in the middle coincides with one that goes, not with one that stays.
        let chain = [face(0.8, [20.0, 0.0], 1.0), face(0.7, [40.0, 0.0], 1.0)];
        assert_eq!(
            left([vec![one.clone()], chain.to_vec()].concat()),
            [0.9, 0.7]
        );
        // A small face in front of a large one: 23 pixels apart in the mean, much for the small one.
        assert_eq!(left(vec![one, face(0.8, [0.0, 0.0], 0.6)]), [0.9, 0.8]);
    }

    #[test]
    fn the_one_that_stays_gets_the_box_around_its_points() {
        let aside = Face {
            box_xyxy: [60.0, 0.0, 160.0, 100.0].into(),
            ..face(0.9, [0.0, 0.0], 1.0)
        };
        let mut faces = vec![aside.clone(), face(0.4, [2.0, 0.0], 1.0)];
        remove(&mut faces);
        let right: BoxXyxy = [0.0, 0.0, 100.0, 100.0].into();
        assert_eq!(
            (faces.len(), faces[0].score, faces[0].box_xyxy),
            (1, 0.9, right)
        );
        // Not a worse one.
        let mut faces = vec![
            face(0.9, [2.0, 0.0], 1.0),
            Face {
                score: 0.4,
                ..aside
            },
        ];
        remove(&mut faces);
        assert_eq!((faces.len(), faces[0].box_xyxy), (1, right));
    }

    #[test]
    fn faces_without_points_stay() {
        let mut bare = face(0.5, [0.0, 0.0], 1.0);
        bare.landmarks.clear();
        assert_eq!(left(vec![bare.clone(), bare]), [0.5, 0.5]);
        let nan = face(0.4, [f32::NAN, 0.0], 1.0);
        assert_eq!(left(vec![face(0.5, [0.0, 0.0], 1.0), nan]), [0.5, 0.4]);
    }
}
