//! What must hold for any input, tried on random ones.

use image::{Rgb, RgbImage};
use proptest::prelude::*;
use retinamark::anchors::{Anchors, Coder};
use retinamark::config::AnchorConfig;
use retinamark::data::{FaceLabel, MATCH_IOU, merge};
use retinamark::geometry::{BoxXyxy, Landmarks, Letterbox, Point};
use retinamark::imaging;
use retinamark::postprocess::{self, Kept, Options, suppress};

/// A box somewhere in 200 pixels; crowded, so that many overlap.
fn any_box() -> impl Strategy<Value = BoxXyxy> {
    let range = (0.0..200.0f32, 0.0..200.0f32, 10.0..90.0f32, 10.0..90.0f32);
    range.prop_map(|(x, y, w, h)| BoxXyxy::from_xywh(x, y, w, h))
}

fn faces(most: usize) -> impl Strategy<Value = Vec<FaceLabel>> {
    prop::collection::vec(any_box().prop_map(FaceLabel::boxed), 0..most)
}

/// The same faces with points at the corners of a smaller box, as a landmark list has them.
fn with_points(faces: &[FaceLabel]) -> Vec<FaceLabel> {
    let pointed = faces.iter().map(|face| {
        let b = face.box_xyxy.scaled(0.8);
        FaceLabel {
            landmarks: Landmarks::all([[b.x1, b.y1], [b.x2, b.y2]]),
            ..face.clone()
        }
    });
    pointed.collect()
}

/// How alike a face of the landmark list and a WIDER box are, as the documentation has it.
fn likeness(face: &FaceLabel, other: &BoxXyxy) -> f32 {
    let points: Vec<Point> = face.landmarks.points().collect();
    let bounds = BoxXyxy::around(&points).unwrap();
    face.box_xyxy.iou(other).max(bounds.iou(other))
}

proptest! {
    #[test]
    fn merged_lists_hold_every_face_once(plain in faces(8), wider in faces(12)) {
        let own = with_points(&plain);
        let mut all = own.clone();
        let merged = merge(&mut all, &wider);
        prop_assert_eq!(merged.matched + merged.added, wider.len());
        prop_assert_eq!(all.len(), own.len() + merged.added);
        for face in &wider {
            let times = all.iter().filter(|f| f.box_xyxy == face.box_xyxy).count();
            prop_assert_eq!(times, 1);
        }
        let (first, added) = all.split_at(own.len());
        for (after, before) in first.iter().zip(&own) {
            prop_assert_eq!(&after.landmarks, &before.landmarks);
            if after.box_xyxy != before.box_xyxy {
                prop_assert!(likeness(before, &after.box_xyxy) >= MATCH_IOU);
                continue;
            }
            // A face that found none leaves none that it could have had.
            for other in added {
                prop_assert!(likeness(before, &other.box_xyxy) < MATCH_IOU);
            }
        }
        prop_assert!(added.iter().all(|f| !f.has_landmarks()));
    }

    #[test]
    fn what_is_encoded_is_decoded(
        anchor in (-50.0..700.0f32, -50.0..700.0f32, 8.0..512.0f32, 8.0..512.0f32),
        found in any_box(),
        point in (-300.0..900.0f32, -300.0..900.0f32),
        variances in (0.05..0.5f32, 0.05..0.5f32),
    ) {
        let anchor = <[f32; 4]>::from(anchor);
        let coder = Coder::of_deltas(variances.into());
        let back = coder.decode_box(anchor, coder.encode_box(anchor, &found));
        for (a, b) in <[f32; 4]>::from(back).into_iter().zip(<[f32; 4]>::from(found)) {
            prop_assert!((a - b).abs() < 0.02, "{back:?} {found:?}");
        }
        let [x, y] = coder.decode_point(anchor, coder.encode_point(anchor, point.into()));
        prop_assert!((x - point.0).abs() < 0.01 && (y - point.1).abs() < 0.01);
    }

    #[test]
    fn a_mark_in_a_photo_lies_where_the_letterbox_says(
        size in (90..400u32, 90..400u32),
        place in (0.0..1.0f32, 0.0..1.0f32),
        side in 96..384u32,
    ) {
        let (width, height) = size;
        // A bright square of 21 pixels, away from the edges.
        let at = |share: f32, limit: u32| 11 + (share * (limit - 44) as f32) as u32;
        let (left, top) = (at(place.0, width), at(place.1, height));
        let marked = |x, y| (left..left + 21).contains(&x) && (top..top + 21).contains(&y);
        let photo = RgbImage::from_fn(width, height, |x, y| Rgb([u8::from(marked(x, y)) * 255; 3]));
        let letterbox = Letterbox::square(width, height, side);
        let input = imaging::resize(&photo, letterbox.content).unwrap();
        let seen = centre_of_mass(&input);
        let drawn = [left as f32 + 10.5, top as f32 + 10.5];
        let said = letterbox.to_input(drawn);
        // The shorter side has whole pixels, up to half of one off.
        for axis in 0..2 {
            prop_assert!((seen[axis] - said[axis]).abs() < 0.6, "{seen:?} {said:?}");
            let back = letterbox.to_photo(seen)[axis];
            prop_assert!((back - drawn[axis]).abs() < 0.6 / letterbox.scale);
        }
        prop_assert!(letterbox.on_content(seen));
        let square = BoxXyxy::from_cxcywh([said[0], said[1], 21.0 * letterbox.scale, 1.0]);
        let back = letterbox.box_to_photo(&square);
        prop_assert!((back.x1 - left as f32).abs() < 0.01 && (back.width() - 21.0).abs() < 0.01);
    }

    #[test]
    fn suppression_keeps_the_best_of_each_heap(
        found in prop::collection::vec((any_box(), 0.0..1.0f32), 0..60),
        order in any::<prop::sample::Index>(),
        limit in 0.1..0.8f32,
    ) {
        let mut all: Vec<Kept> = (found.iter().enumerate())
            .map(|(anchor, &(box_xyxy, score))| Kept { anchor, score, box_xyxy })
            .collect();
        let kept = best_first(all.clone(), limit);
        for (i, face) in kept.iter().enumerate() {
            for better in &kept[..i] {
                prop_assert!(better.score >= face.score);
                prop_assert!(better.box_xyxy.iou(&face.box_xyxy) <= limit);
            }
        }
        for face in &all {
            // One that is kept covers itself.
            let covers = |k: &Kept| k.score >= face.score && k.box_xyxy.iou(&face.box_xyxy) > limit;
            prop_assert!(kept.iter().any(covers));
        }
        if !all.is_empty() {
            let turn = order.index(all.len());
            all.rotate_left(turn);
            all.reverse();
        }
        let mut scores: Vec<f32> = all.iter().map(|k| k.score).collect();
        scores.sort_by(f32::total_cmp);
        scores.dedup();
        if scores.len() == all.len() {
            prop_assert_eq!(best_first(all, limit), kept);
        }
    }

    #[test]
    fn faces_kept_from_a_network_are_apart_and_no_other_is_missing(
        values in prop::collection::vec((0.0..1.0f32, -8.0..8.0f32, -8.0..8.0f32, -4.0..4.0f32), 168),
        limit in 0.2..0.7f32,
    ) {
        let anchors = Anchors::generate(&AnchorConfig::default(), [64, 64]);
        prop_assert_eq!(anchors.len(), values.len());
        let scores: Vec<f32> = values.iter().map(|v| v.0).collect();
        let deltas: Vec<[f32; 4]> = values.iter().map(|v| [v.1, v.2, v.3, -v.3]).collect();
        let coder = Coder::of_deltas([0.1, 0.2]);
        let letterbox = Letterbox::square(64, 40, 64);
        let options = Options { score: 0.5, top_k: 5000, nms_iou: limit, max_faces: 750, votes: 1 };
        let kept = postprocess::keep(&scores, &deltas, &anchors, coder, &letterbox, &options);
        let kept: Vec<Kept> = kept.into_iter().map(|votes| votes[0]).collect();
        for (i, face) in kept.iter().enumerate() {
            let apart = |k: &Kept| k.box_xyxy.iou(&face.box_xyxy) <= limit && k.score >= face.score;
            prop_assert!(kept[..i].iter().all(apart));
        }
        for (anchor, &score) in scores.iter().enumerate() {
            let centre = anchors.boxes_cxcywh()[anchor];
            let b = coder.decode_box(centre, deltas[anchor]);
            let on_photo = |[x, y]: Point| (0.0..64.0).contains(&x) && (0.0..40.0).contains(&y);
            let counts = score >= 0.5 && on_photo([centre[0], centre[1]]) && on_photo(b.centre());
            let is_kept = kept.iter().any(|k| k.anchor == anchor);
            let covered = kept.iter().any(|k| k.score >= score && k.box_xyxy.iou(&b) > limit);
            // A kept box covers itself, an uncounted one need not be covered.
            let right = if counts { covered } else { !is_kept };
            prop_assert!(right, "anchor {anchor}");
        }
    }
}

fn best_first(mut all: Vec<Kept>, limit: f32) -> Vec<Kept> {
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    suppress(&all, limit, usize::MAX)
}

fn centre_of_mass(image: &RgbImage) -> Point {
    let mut sum = [0.0f64; 3];
    for (x, y, pixel) in image.enumerate_pixels() {
        let mass = f64::from(pixel.0[0]);
        sum[0] += mass * (f64::from(x) + 0.5);
        sum[1] += mass * (f64::from(y) + 0.5);
        sum[2] += mass;
    }
    [sum[0] / sum[2], sum[1] / sum[2]].map(|v| v as f32)
}
