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
