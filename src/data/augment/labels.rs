//! Labels of a photo to labels of a crop.

use anyhow::Result;

use super::bounds::{map_box, map_box_distorted};
use crate::config::CropConfig;
use crate::data::FaceLabel;
use crate::geometry::{Affine, BoxXyxy, Distortion, Point, Scheme};

/// Carry `faces` through `map`, then `distortion`, into a crop of `side` pixels.
///
/// Points that leave the crop by more than `margin` pixels lose their label and keep their
/// coordinates. A face stays one if its centre and enough of its box are inside; with less of it,
/// it is ignored (neither face nor background), and with next to nothing dropped. Boxes are cut to
/// the crop after that decision, and what is then too small is ignored.
///
/// # Errors
/// When a face that is to be mirrored has points of another scheme.
pub fn map_faces(
    faces: &[FaceLabel],
    map: &Affine,
    distortion: &Distortion,
    mirrored: Option<&Scheme>,
    [side, margin]: [f32; 2],
    config: &CropConfig,
) -> Result<Vec<FaceLabel>> {
    let one = |face: &FaceLabel| {
        map_face(face, map, distortion, mirrored, [side, margin], config).transpose()
    };
    faces.iter().filter_map(one).collect()
}

fn map_face(
    face: &FaceLabel,
    map: &Affine,
    distortion: &Distortion,
    mirrored: Option<&Scheme>,
    [side, margin]: [f32; 2],
    config: &CropConfig,
) -> Result<Option<FaceLabel>> {
    let bounds = map_box_distorted(&face.box_xyxy, map, distortion);
    let whole = bounds.unwrap_or_else(|| map_box(&face.box_xyxy, map));
    let cut = whole.clip(side, side);
    let ignored = match fate(&whole, &cut, side, config) {
        Fate::Dropped => return Ok(None),
        Fate::Ignored => true,
        // A face that reaches behind the horizon has no box to learn.
        Fate::Kept => face.ignored || bounds.is_none(),
    };
    let inside = BoxXyxy::new(-margin, -margin, side + margin, side + margin);
    let moved = face.landmarks.map(|p| map_point(map.apply(p), distortion));
    let shown = moved.masked(|p| inside.contains(p));
    Ok(Some(FaceLabel {
        box_xyxy: cut,
        landmarks: match mirrored {
            Some(scheme) => shown.renamed_in_mirror(scheme)?,
            None => shown,
        },
        ignored,
        attributes: face.attributes,
        trust: face.trust,
        doubt: face.doubt,
        // Neither perspective nor yaw shows a head as its angles say.
        pose: (face.pose.filter(|_| distortion.is_identity())).map(|pose| pose.through(map)),
    }))
}

/// Behind the horizon there is no place to go: such a point stays where it was, which is outside.
fn map_point(point: Point, distortion: &Distortion) -> Point {
    let moved = distortion.apply(point);
    if moved[0].is_finite() && moved[1].is_finite() {
        moved
    } else {
        point
    }
}

enum Fate {
    Kept,
    Ignored,
    Dropped,
}

fn fate(whole: &BoxXyxy, cut: &BoxXyxy, side: f32, config: &CropConfig) -> Fate {
    let centre_inside = BoxXyxy::new(0.0, 0.0, side, side).contains(whole.centre());
    if !whole.has_size() {
        return if centre_inside {
            Fate::Ignored
        } else {
            Fate::Dropped
        };
    }
    let visible = cut.area() / whole.area();
    let face = centre_inside && visible >= config.keep_visible;
    if face && cut.side() >= config.min_pixels {
        Fate::Kept
    } else if face || (visible > 0.0 && visible >= config.ignore_visible) {
        Fate::Ignored
    } else {
        Fate::Dropped
    }
}

#[cfg(test)]
mod tests {
    use super::super::flip;
    use super::*;
    use crate::geometry::{HeadPose, Homography, Landmarks, YawWarp};

    const NONE: Distortion = Distortion {
        perspective: None,
        yaw: None,
    };

    fn mapped(b: [f32; 4]) -> Option<FaceLabel> {
        let config = CropConfig::default();
        let face = FaceLabel::boxed(b.into());
        map_faces(
            &[face],
            &Affine::IDENTITY,
            &NONE,
            None,
            [100.0, 0.0],
            &config,
        )
        .unwrap()
        .pop()
    }

    #[test]
    fn what_becomes_of_faces_at_the_edge() {
        let inside = mapped([10.0, 10.0, 40.0, 50.0]).unwrap();
        assert_eq!((inside.ignored, inside.box_xyxy.x2), (false, 40.0));
        // Seven tenths visible: a face, cut.
        let cut = mapped([70.0, 10.0, 110.0, 50.0]).unwrap();
        assert_eq!((cut.ignored, cut.box_xyxy.x2), (false, 100.0));
        // The centre is outside, a quarter visible: neither face nor background.
        assert!(mapped([90.0, 10.0, 130.0, 50.0]).unwrap().ignored);
        // The centre is inside, but the corner leaves a third of it.
        assert!(mapped([78.0, 78.0, 118.0, 118.0]).unwrap().ignored);
        assert!(mapped([98.0, 10.0, 138.0, 50.0]).is_none());
        assert!(mapped([120.0, 10.0, 160.0, 50.0]).is_none());
        // Too small, and without size.
        assert!(mapped([10.0, 10.0, 17.0, 17.0]).unwrap().ignored);
        assert!(mapped([10.0, 10.0, 10.0, 40.0]).unwrap().ignored);
        assert!(mapped([-9.0, 10.0, -9.0, 40.0]).is_none());
        assert!(mapped([f32::NAN; 4]).is_none());
    }

    #[test]
    fn points_outside_are_masked_and_not_moved() {
        let scheme = Scheme::five();
        let face = FaceLabel {
            landmarks: [
                ([10.0, 20.0], true),
                ([99.0, 20.0], false),
                ([120.0, 5.0], true),
                ([-3.0, 9.0], true),
                ([f32::NAN, 1.0], true),
            ]
            .into_iter()
            .collect(),
            attributes: Some([true, false, true, false, true, false]),
            pose: Some(HeadPose {
                pitch: 0.1,
                yaw: 0.5,
                roll: -0.2,
            }),
            ..FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 120.0, 100.0))
        };
        let map = |face: &FaceLabel, map: &Affine, scheme| {
            let config = CropConfig::default();
            let faces = std::slice::from_ref(face);
            let mapped = map_faces(faces, map, &NONE, scheme, [100.0, 0.0], &config);
            mapped.unwrap().remove(0)
        };
        let moved = map(&face, &Affine::IDENTITY, None);
        assert_eq!(labels(&moved), [true, false, false, false, false]);
        assert_eq!(moved.landmarks[2].at, [120.0, 5.0]);
        assert_eq!(moved.attributes, face.attributes);
        let near = |a: Option<HeadPose>, yaw: f32, roll: f32| {
            a.is_some_and(|a| (a.yaw - yaw).abs() + (a.roll - roll).abs() < 1e-5)
        };
        assert!(near(moved.pose, 0.5, -0.2));

        let flipped = map(&face, &flip::mirror(100.0), Some(&scheme));
        // The point that was the left eye is now the right one.
        assert_eq!(flipped.landmarks[1].at, [90.0, 20.0]);
        assert_eq!(labels(&flipped), [false, true, false, false, false]);
        assert!(near(flipped.pose, -0.5, 0.2));
    }

    fn labels(face: &FaceLabel) -> Vec<bool> {
        face.landmarks.iter().map(|p| p.labelled).collect()
    }

    #[test]
    fn mirrored_twice_is_the_same() {
        for scheme in [Scheme::five(), Scheme::ibug68(), Scheme::wflw98()] {
            let n = scheme.len();
            let face = FaceLabel {
                landmarks: (0..n)
                    .map(|i| ([i as f32, (i * 7 % 90) as f32], i % 3 != 0))
                    .collect(),
                ..FaceLabel::boxed(BoxXyxy::new(20.0, 30.0, 60.0, 80.0))
            };
            let mirror = |face: &FaceLabel| {
                let faces = std::slice::from_ref(face);
                let map = flip::mirror(128.0);
                let config = CropConfig::default();
                let mapped = map_faces(faces, &map, &NONE, Some(&scheme), [128.0, 0.0], &config);
                mapped.unwrap().remove(0)
            };
            let once = mirror(&face);
            assert_ne!(once, face);
            assert_eq!(mirror(&once), face, "{}", scheme.name());
        }
    }

    fn skewed() -> Distortion {
        let corners = [[4.0, -6.0], [95.0, 3.0], [104.0, 108.0], [-3.0, 97.0]];
        let perspective = Homography::from_corners([100.0; 2], corners);
        let yaw = YawWarp::new(50.0, 40.0, 0.3);
        assert!(perspective.is_some() && yaw.is_some());
        Distortion { perspective, yaw }
    }

    #[test]
    fn labels_are_mirrored_before_they_are_distorted() {
        let scheme = Scheme::five();
        let face = FaceLabel {
            landmarks: Landmarks::all([
                [35.0, 40.0],
                [60.0, 42.0],
                [99.0, 50.0],
                [40.0, 70.0],
                [58.0, 71.0],
            ]),
            pose: Some(HeadPose::default()),
            ..FaceLabel::boxed(BoxXyxy::new(25.0, 20.0, 75.0, 80.0))
        };
        let faces = std::slice::from_ref(&face);
        let (config, distortion) = (CropConfig::default(), skewed());
        let map = flip::mirror(100.0);
        let moved = map_faces(
            faces,
            &map,
            &distortion,
            Some(&scheme),
            [100.0, 0.0],
            &config,
        )
        .unwrap()
        .remove(0);
        assert_eq!(
            moved.pose, None,
            "such a picture shows no head of these angles"
        );
        for (i, p) in face.landmarks.points().enumerate() {
            let to = scheme.mirror()[i];
            let [x, y] = distortion.apply([100.0 - p[0], p[1]]);
            assert_eq!(moved.landmarks[to].at, [x, y]);
            let inside = (0.0..=100.0).contains(&x) && (0.0..=100.0).contains(&y);
            assert_eq!(moved.landmarks[to].labelled, inside);
        }
    }

    #[test]
    fn what_lies_behind_the_horizon_is_no_face() {
        // The horizon of what is mapped is y = 200.
        let corners = [[25.0, 0.0], [75.0, 0.0], [100.0, 100.0], [0.0, 100.0]];
        let distortion = Distortion {
            perspective: Homography::from_corners([100.0; 2], corners),
            yaw: None,
        };
        let config = CropConfig::default();
        let map = |b: [f32; 4]| {
            let face = FaceLabel {
                landmarks: Landmarks::all([[50.0, 50.0], [50.0, 900.0]]),
                ..FaceLabel::boxed(b.into())
            };
            map_faces(
                &[face],
                &Affine::IDENTITY,
                &distortion,
                None,
                [100.0, 0.0],
                &config,
            )
            .unwrap()
            .pop()
        };
        let seen = map([20.0, 20.0, 80.0, 80.0]).unwrap();
        assert!(!seen.ignored);
        assert_eq!(labels(&seen), [true, false]);
        assert!(seen.landmarks.points().flatten().all(f32::is_finite));
        assert!(map([20.0, 300.0, 80.0, 900.0]).is_none());
        assert!(map([20.0, -900.0, 80.0, -300.0]).is_none());
        // All over the crop, and beyond.
        assert!(map([-60.0, -50.0, 160.0, 230.0]).unwrap().ignored);
    }
}
