//! Labels of a photo to labels of a crop.

use super::flip;
use super::rotate::map_box;
use crate::config::CropConfig;
use crate::data::FaceLabel;
use crate::geometry::{Affine, BoxXyxy, Scheme};

/// Carry `faces` through `map` into a crop of `side` pixels.
///
/// Points that leave the crop lose their label and keep their coordinates. A face stays one if
/// its centre and enough of its box are inside; with less of it, it is ignored (neither face nor
/// background), and with next to nothing dropped. Boxes are cut to the crop after that decision,
/// and what is then too small is ignored.
pub fn map_faces(
    faces: &[FaceLabel],
    map: &Affine,
    mirrored: Option<&Scheme>,
    side: f32,
    config: &CropConfig,
) -> Vec<FaceLabel> {
    let one = |face: &FaceLabel| map_face(face, map, mirrored, side, config);
    faces.iter().filter_map(one).collect()
}

fn map_face(
    face: &FaceLabel,
    map: &Affine,
    mirrored: Option<&Scheme>,
    side: f32,
    config: &CropConfig,
) -> Option<FaceLabel> {
    let whole = map_box(&face.box_xyxy, map);
    let cut = whole.clip(side, side);
    let ignored = match fate(&whole, &cut, side, config) {
        Fate::Dropped => return None,
        Fate::Ignored => true,
        Fate::Kept => face.ignored,
    };
    let mut moved = FaceLabel {
        box_xyxy: cut,
        landmarks: face.landmarks.iter().map(|&p| map.apply(p)).collect(),
        labelled: face.labelled.clone(),
        ignored,
        attributes: face.attributes,
    };
    let inside = BoxXyxy::new(0.0, 0.0, side, side);
    for (labelled, &point) in moved.labelled.iter_mut().zip(&moved.landmarks) {
        *labelled &= inside.contains(point);
    }
    if let Some(scheme) = mirrored {
        flip::swap_points(&mut moved, scheme);
    }
    Some(moved)
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
    use super::*;

    fn mapped(b: [f32; 4]) -> Option<FaceLabel> {
        let config = CropConfig::default();
        let face = FaceLabel::boxed(b.into());
        map_faces(&[face], &Affine::IDENTITY, None, 100.0, &config).pop()
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
            landmarks: vec![
                [10.0, 20.0],
                [99.0, 20.0],
                [120.0, 5.0],
                [-3.0, 9.0],
                [f32::NAN, 1.0],
            ],
            labelled: vec![true, false, true, true, true],
            attributes: Some([true, false, true, false, true, false]),
            ..FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 120.0, 100.0))
        };
        let map = |face: &FaceLabel, map: &Affine, scheme| {
            let config = CropConfig::default();
            map_faces(std::slice::from_ref(face), map, scheme, 100.0, &config)
                .pop()
                .unwrap()
        };
        let moved = map(&face, &Affine::IDENTITY, None);
        assert_eq!(moved.labelled, [true, false, false, false, false]);
        assert_eq!(moved.landmarks[2], [120.0, 5.0]);
        assert_eq!(moved.attributes, face.attributes);

        let flipped = map(&face, &flip::mirror(100.0), Some(&scheme));
        // The point that was the left eye is now the right one.
        assert_eq!(flipped.landmarks[1], [90.0, 20.0]);
        assert_eq!(flipped.labelled, [false, true, false, false, false]);
    }

    #[test]
    fn mirrored_twice_is_the_same() {
        for scheme in [Scheme::five(), Scheme::ibug68(), Scheme::wflw98()] {
            let n = scheme.len();
            let face = FaceLabel {
                landmarks: (0..n).map(|i| [i as f32, (i * 7 % 90) as f32]).collect(),
                labelled: (0..n).map(|i| i % 3 != 0).collect(),
                ..FaceLabel::boxed(BoxXyxy::new(20.0, 30.0, 60.0, 80.0))
            };
            let mirror = |face: &FaceLabel| {
                let faces = std::slice::from_ref(face);
                let map = flip::mirror(128.0);
                map_faces(faces, &map, Some(&scheme), 128.0, &CropConfig::default()).remove(0)
            };
            let once = mirror(&face);
            assert_ne!(once, face);
            assert_eq!(mirror(&once), face, "{}", scheme.name());
        }
    }

    #[test]
    fn a_turned_box_does_not_grow_as_its_corners_do() {
        let square = BoxXyxy::from_cxcywh([50.0, 50.0, 40.0, 40.0]);
        let turn = Affine::rotation(0.6, 1.0, [50.0, 50.0]);
        let turned = map_box(&square, &turn);
        assert!((turned.width() - 40.0).abs() < 1e-3 && (turned.height() - 40.0).abs() < 1e-3);
        let tall = BoxXyxy::from_cxcywh([50.0, 50.0, 30.0, 40.0]);
        let quarter = Affine::rotation(std::f32::consts::FRAC_PI_2, 2.0, [50.0, 50.0]);
        let turned = map_box(&tall, &quarter);
        assert!((turned.width() - 80.0).abs() < 1e-3 && (turned.height() - 60.0).abs() < 1e-3);
    }
}
