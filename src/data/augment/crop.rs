//! Which part of the photo, at which scale: crop, scale choice and zoom-out.

use rand_chacha::ChaCha8Rng;

use super::bounds::map_box;
use super::draw::{chance, log_uniform, pick, uniform};
use crate::config::AugmentConfig;
use crate::data::FaceLabel;
use crate::geometry::{Affine, BoxXyxy};

/// Smallest part of a photo without faces that is cropped, share of its longer side.
const MIN_BACKGROUND_SHARE: f32 = 0.3;

/// Squares that are drawn for one with a face.
const FREE_TRIES: usize = 10;

/// A part of a photo, and what it is there for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// From the photo to the crop.
    pub map: Affine,
    /// The face that the crop is built around, pixels of the photo; `None` for background.
    pub face: Option<BoxXyxy>,
}

/// A face that the crop may be built around.
struct Candidate {
    face: BoxXyxy,
    /// Half the width and height after rotation, photo pixels.
    half: [f32; 2],
    /// Square root of the area, photo pixels.
    size: f32,
    has_landmarks: bool,
    /// Allowed scales, `low <= high`.
    scales: [f32; 2],
}

/// Draw a view of the photo (`photo` = `[width, height]`) for a crop of `side` pixels, turned by
/// `angle` radians. It shows one of the faces completely where the photo has a usable one.
pub fn choose(
    config: &AugmentConfig,
    photo: [f32; 2],
    faces: &[FaceLabel],
    side: f32,
    angle: f32,
    rng: &mut ChaCha8Rng,
) -> View {
    let crop = &config.crop;
    if crop.free_share > 0.0 && chance(rng, crop.free_share) {
        return anywhere(config, photo, faces, side, angle, rng);
    }
    let longer = photo[0].max(photo[1]).max(1.0);
    let zoom_out = if chance(rng, config.zoom_out.probability) {
        config.zoom_out.max_factor
    } else {
        1.0
    };
    let min_scale = side / (longer * zoom_out);
    let candidates = candidates(config, faces, side, angle, min_scale);
    let chosen = choose_face(config, &candidates, side, rng);
    let (scale, centre, half) = match chosen {
        Some((candidate, scale)) => (scale, candidate.face.centre(), Some(candidate.half)),
        None => {
            let share = uniform(rng, [MIN_BACKGROUND_SHARE, zoom_out]);
            let scale = (side / (longer * share)).min(config.crop.max_upscale);
            (scale, [photo[0] * 0.5, photo[1] * 0.5], None)
        }
    };
    let corner: [f32; 2] = std::array::from_fn(|axis| {
        let before = centre[axis] * scale;
        let after = (photo[axis] - centre[axis]) * scale;
        place(before, after, half.map(|h| h[axis] * scale), side, rng)
    });
    let shift = [-centre[0] - corner[0], -centre[1] - corner[1]];
    View {
        map: Affine::rotation(angle, scale, centre).then(&Affine::scale_shift(1.0, shift)),
        face: chosen.map(|(candidate, _)| candidate.face),
    }
}

/// A square anywhere in the photo, as SCRFD's training takes it (Guo et al., 2021,
/// arXiv:2105.04714): it may be smaller or larger than the photo, and shows the centre of a face if
/// a few tries find such.
fn anywhere(
    config: &AugmentConfig,
    photo: [f32; 2],
    faces: &[FaceLabel],
    side: f32,
    angle: f32,
    rng: &mut ChaCha8Rng,
) -> View {
    let shorter = photo[0].min(photo[1]).max(1.0);
    let centre = [photo[0] * 0.5, photo[1] * 0.5];
    let mut draw = || {
        let share = uniform(rng, config.crop.free_sides);
        let scale = (side / (shorter * share)).min(config.crop.max_upscale);
        let half = centre.map(|c| c * scale);
        let corner = half.map(|half| place(half, half, None, side, rng));
        let shift: [f32; 2] = std::array::from_fn(|axis| -centre[axis] - corner[axis]);
        Affine::rotation(angle, scale, centre).then(&Affine::scale_shift(1.0, shift))
    };
    let inside = BoxXyxy::new(0.0, 0.0, side, side);
    let shows = |map: &Affine| {
        let mut seen = faces.iter().filter(|face| !face.ignored);
        seen.any(|face| inside.contains(map.apply(face.box_xyxy.centre())))
    };
    let mut map = draw();
    for _ in 1..FREE_TRIES {
        if shows(&map) {
            break;
        }
        map = draw();
    }
    View { map, face: None }
}

fn candidates(
    config: &AugmentConfig,
    faces: &[FaceLabel],
    side: f32,
    angle: f32,
    min_scale: f32,
) -> Vec<Candidate> {
    let turn = Affine::rotation(angle, 1.0, [0.0, 0.0]);
    let crop = &config.crop;
    let usable = |f: &&FaceLabel| {
        // A face that even the largest scale leaves too small would be ignored.
        let reachable = f.box_xyxy.side() * crop.max_upscale >= crop.min_pixels;
        !f.ignored && f.box_xyxy.has_size() && reachable
    };
    let candidate = |face: &FaceLabel| {
        let turned = map_box(&face.box_xyxy, &turn);
        let half = [turned.width() * 0.5, turned.height() * 0.5];
        let size = face.box_xyxy.side();
        let fits = crop.max_face * side / (2.0 * half[0].max(half[1]));
        let high = fits.min(crop.max_upscale);
        let low = min_scale.max(crop.min_face / size).min(high);
        Candidate {
            face: face.box_xyxy,
            half,
            size,
            has_landmarks: face.has_landmarks(),
            scales: [low, high],
        }
    };
    faces.iter().filter(usable).map(candidate).collect()
}

/// A face and its scale. The size in the crop is drawn before the face, so that a photo full of
/// small faces does not always show small ones.
fn choose_face<'a>(
    config: &AugmentConfig,
    candidates: &'a [Candidate],
    side: f32,
    rng: &mut ChaCha8Rng,
) -> Option<(&'a Candidate, f32)> {
    let sizes = [config.crop.min_face, config.crop.max_face * side];
    let size = log_uniform(rng, [sizes[0].min(sizes[1]), sizes[1]]);
    let with_landmarks = chance(rng, config.crop.landmark_share);
    let reaches = |c: &&Candidate| (c.scales[0]..=c.scales[1]).contains(&(size / c.size));
    let preferred = |c: &&Candidate| !with_landmarks || c.has_landmarks;
    let all: Vec<&Candidate> = candidates.iter().collect();
    let select = |from: &[&'a Candidate], test: &dyn Fn(&&Candidate) -> bool| {
        let kept: Vec<&'a Candidate> = from.iter().copied().filter(|c| test(c)).collect();
        (!kept.is_empty()).then_some(kept)
    };
    let pool = select(&all, &preferred).unwrap_or(all);
    if let Some(exact) = select(&pool, &reaches) {
        return pick(rng, &exact).map(|&c| (c, size / c.size));
    }
    // No face can have that size; one of them gets a size that it can have.
    pick(rng, &pool).map(|&c| (c, log_uniform(rng, c.scales)))
}

/// Where the crop starts, relative to the face's centre, along one axis and in crop pixels. The
/// photo reaches from `-before` to `after`, the face from `-half` to `half`. The crop shows the
/// whole face, and stays inside the photo (or shows all of it, if that is smaller) where it can.
fn place(before: f32, after: f32, half: Option<f32>, side: f32, rng: &mut ChaCha8Rng) -> f32 {
    let sorted = |a: f32, b: f32| [a.min(b), a.max(b)];
    let photo = sorted(-before, after - side);
    let Some(half) = half else {
        return uniform(rng, photo);
    };
    let face = sorted(half - side, -half);
    let both = [photo[0].max(face[0]), photo[1].min(face[1])];
    if both[0] <= both[1] {
        uniform(rng, both)
    } else {
        // The face hangs over the edge of the photo: as little of the outside as possible.
        photo[0].clamp(face[0], face[1])
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::geometry::Landmarks;

    fn face(cx: f32, cy: f32, w: f32, h: f32) -> FaceLabel {
        FaceLabel::boxed(BoxXyxy::from_cxcywh([cx, cy, w, h]))
    }

    #[test]
    fn sizes_are_spread_evenly_over_the_range() {
        let mut config = AugmentConfig::default();
        config.crop.max_upscale = 100.0;
        config.zoom_out.probability = 1.0;
        config.zoom_out.max_factor = 100.0;
        let faces = [
            face(300.0, 200.0, 80.0, 80.0),
            face(500.0, 100.0, 20.0, 20.0),
        ];
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut bins = [0u32; 6];
        let range = [
            config.crop.min_face.ln(),
            (config.crop.max_face * 320.0).ln(),
        ];
        for _ in 0..6000 {
            let map = choose(&config, [640.0, 480.0], &faces[..1], 320.0, 0.0, &mut rng).map;
            let place = (map.row_x[0] * 80.0).ln() - range[0];
            bins[((place / (range[1] - range[0]) * 6.0) as usize).min(5)] += 1;
        }
        assert!(bins.iter().all(|&n| (850..1150).contains(&n)), "{bins:?}");
    }

    #[test]
    fn the_chosen_face_lies_inside_and_the_photo_fills_the_crop() {
        let config = AugmentConfig::default();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for i in 0..2000 {
            let mut within = |low: f32, high: f32| uniform(&mut rng, [low, high]);
            let photo = [within(50.0, 900.0), within(50.0, 900.0)];
            let (w, h) = (within(6.0, photo[0]), within(6.0, photo[1]));
            let centre = [
                within(w / 2.0, photo[0] - w / 2.0),
                within(h / 2.0, photo[1] - h / 2.0),
            ];
            let angle = if i % 2 == 0 { 0.0 } else { within(-0.5, 0.5) };
            let faces = [face(centre[0], centre[1], w, h)];
            let View { map, face } = choose(&config, photo, &faces, 320.0, angle, &mut rng);
            assert_eq!(face, Some(faces[0].box_xyxy));
            let b = map_box(&faces[0].box_xyxy, &map);
            let inside = b.x1 > -0.1 && b.y1 > -0.1 && b.x2 < 320.1 && b.y2 < 320.1;
            assert!(inside, "{b:?} of {w} x {h} in {photo:?}");
            if angle == 0.0 {
                let corner = map.apply([0.0, 0.0]);
                let end = map.apply(photo);
                for axis in 0..2 {
                    // Either the photo covers the crop or the crop the photo.
                    let covers = corner[axis] < 0.1 && end[axis] > 319.9;
                    let covered = corner[axis] > -0.1 && end[axis] < 320.1;
                    assert!(covers || covered, "{corner:?} {end:?}");
                }
            }
        }
    }

    #[test]
    fn faces_with_landmarks_are_preferred_as_often_as_asked() {
        let mut config = AugmentConfig::default();
        config.zoom_out.probability = 0.0;
        let mut marked = face(100.0, 100.0, 40.0, 40.0);
        marked.landmarks = Landmarks::all([[100.0, 100.0]]);
        let plain = face(500.0, 400.0, 40.0, 40.0);
        let faces = [marked, plain.clone(), plain.clone(), plain];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut share = |landmark_share: f32| {
            config.crop.landmark_share = landmark_share;
            let shown = (0..1000).filter(|_| {
                let map = choose(&config, [640.0, 480.0], &faces, 64.0, 0.0, &mut rng).map;
                let [x, y] = map.apply([100.0, 100.0]);
                (0.0..64.0).contains(&x) && (0.0..64.0).contains(&y)
            });
            shown.count()
        };
        assert_eq!(share(1.0), 1000);
        let even = share(0.0);
        assert!((200..300).contains(&even), "{even}");
    }
}
