//! Tests of augment: whole crops, pixels and labels together.

use image::{Rgb, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use retinamark::config::{AugmentConfig, Config, SchemeName};
use retinamark::data::FaceLabel;
use retinamark::data::augment::Pipeline;
use retinamark::geometry::{BoxXyxy, Landmarks, Scheme};

const POINTS: [[f32; 2]; 5] = [
    [120.5, 90.5],
    [150.5, 92.5],
    [136.5, 108.5],
    [124.5, 124.5],
    [148.5, 126.5],
];

/// The defaults, for the points of [`face`].
fn five_points() -> Config {
    let mut config = Config::default();
    config.landmarks.scheme = SchemeName::Five;
    config
}

/// Five points, crops of 160 pixels, and nothing random but the place and size of the crop.
fn plain() -> Config {
    let mut config = five_points();
    config.train.crop = 160;
    let augment = &mut config.augment;
    augment.zoom_out.probability = 0.0;
    augment.rotation.probability = 0.0;
    augment.flip.probability = 0.0;
    augment.color.probability = 0.0;
    augment.grey.probability = 0.0;
    augment.blur.probability = 0.0;
    augment.jpeg.probability = 0.0;
    augment.erase.probability = 0.0;
    config
}

fn face() -> FaceLabel {
    FaceLabel {
        landmarks: Landmarks::all(POINTS),
        ..FaceLabel::boxed(BoxXyxy::new(105.0, 65.0, 165.0, 145.0))
    }
}

/// Grey, with a red disc around one of the points.
fn dotted(point: usize) -> RgbImage {
    let [px, py] = POINTS[point];
    RgbImage::from_fn(320, 240, |x, y| {
        let distance = (x as f32 + 0.5 - px).hypot(y as f32 + 0.5 - py);
        if distance < 4.5 {
            Rgb([255, 0, 0])
        } else {
            Rgb([128; 3])
        }
    })
}

/// Where the disc is in the crop, by the weight of its red.
fn find_dot(crop: &RgbImage) -> Option<[f32; 2]> {
    let mut sum = [0.0f32; 3];
    for (x, y, pixel) in crop.enumerate_pixels() {
        let red = (f32::from(pixel.0[0]) - f32::from(pixel.0[1]) - 20.0).max(0.0);
        sum[0] += red * (x as f32 + 0.5);
        sum[1] += red * (y as f32 + 0.5);
        sum[2] += red;
    }
    (sum[2] > 0.0).then(|| [sum[0] / sum[2], sum[1] / sum[2]])
}

fn assert_points_follow_pixels(config: &Config, mirrored: bool) {
    let pipeline = Pipeline::new(config).unwrap();
    let scheme = Scheme::five();
    let side = config.train.crop as f32;
    for seed in 0..25 {
        for point in 0..5 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (crop, faces) = pipeline.apply(&dotted(point), &[face()], &mut rng).unwrap();
            assert_eq!(crop.dimensions(), (config.train.crop, config.train.crop));
            assert_eq!(faces.len(), 1);
            let index = if mirrored {
                scheme.mirror()[point]
            } else {
                point
            };
            let landmark = faces[0].landmarks[index];
            let [x, y] = landmark.at;
            let inside = |v: f32| (0.0..=side).contains(&v);
            assert_eq!(landmark.labelled, inside(x) && inside(y));
            // A disc that the crop's edge cuts has its weight elsewhere.
            let whole = |v: f32| (20.0..=side - 20.0).contains(&v);
            if whole(x) && whole(y) {
                let [dx, dy] = find_dot(&crop).expect("the dot is in the crop");
                let off = (dx - x).hypot(dy - y);
                assert!(off < 1.0, "seed {seed}: ({dx}, {dy}) for ({x}, {y})");
            }
        }
    }
}

#[test]
fn points_follow_the_pixels_through_each_geometric_transform_and_all_of_them() {
    let flip = |config: &mut Config| config.augment.flip.probability = 1.0;
    let rotate = |config: &mut Config| {
        config.augment.rotation.probability = 1.0;
        config.augment.rotation.degrees = 45.0;
    };
    let zoom_out = |config: &mut Config| config.augment.zoom_out.probability = 1.0;
    let with = |changes: &[&dyn Fn(&mut Config)]| {
        let mut config = plain();
        changes.iter().for_each(|change| change(&mut config));
        config
    };
    assert_points_follow_pixels(&with(&[]), false);
    assert_points_follow_pixels(&with(&[&flip]), true);
    assert_points_follow_pixels(&with(&[&rotate]), false);
    assert_points_follow_pixels(&with(&[&zoom_out]), false);
    assert_points_follow_pixels(&with(&[&flip, &rotate, &zoom_out]), true);
}

#[test]
fn points_follow_the_pixels_through_each_distortion_and_all_of_them() {
    let stretch = |config: &mut Config| {
        config.augment.stretch.probability = 1.0;
        config.augment.stretch.max = 0.2;
    };
    let perspective = |config: &mut Config| {
        config.augment.perspective.probability = 1.0;
        config.augment.perspective.share = 0.05;
    };
    let yaw = |config: &mut Config| {
        config.augment.yaw.probability = 1.0;
        config.augment.yaw.shift = 0.2;
    };
    let flip = |config: &mut Config| config.augment.flip.probability = 1.0;
    let rotate = |config: &mut Config| config.augment.rotation.probability = 1.0;
    let with = |changes: &[&dyn Fn(&mut Config)]| {
        let mut config = plain();
        // A large face, so that none of this takes its middle out of the crop.
        config.augment.crop.min_face = 90.0;
        changes.iter().for_each(|change| change(&mut config));
        config
    };
    assert_points_follow_pixels(&with(&[&stretch]), false);
    assert_points_follow_pixels(&with(&[&perspective]), false);
    assert_points_follow_pixels(&with(&[&yaw]), false);
    assert_points_follow_pixels(&with(&[&flip, &perspective, &yaw]), true);
    let all: [&dyn Fn(&mut Config); 5] = [&flip, &rotate, &stretch, &perspective, &yaw];
    assert_points_follow_pixels(&with(&all), true);
}

/// Everything at once, as strong as it is allowed to be.
fn strongest() -> Config {
    let mut config = five_points();
    let augment = &mut config.augment;
    augment.stretch.probability = 1.0;
    augment.stretch.max = 1.0;
    augment.perspective.probability = 1.0;
    augment.perspective.share = 0.2;
    augment.yaw.probability = 1.0;
    augment.yaw.shift = 0.5;
    augment.low_res.probability = 0.5;
    augment.occlude.probability = 1.0;
    augment.occlude.area = [0.0, 1.0];
    config
}

#[test]
fn the_strongest_settings_give_legal_labels() {
    let pipeline = Pipeline::new(&strongest()).unwrap();
    let far = FaceLabel::boxed(BoxXyxy::new(-4000.0, -4000.0, -3000.0, 9000.0));
    let faces = [face(), far];
    for seed in 0..60 {
        let draw = || {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            pipeline.apply(&dotted(0), &faces, &mut rng).unwrap()
        };
        let (crop, out) = draw();
        assert_eq!(crop.dimensions(), (320, 320));
        for face in &out {
            assert_eq!(face.box_xyxy, face.box_xyxy.clip(320.0, 320.0));
            assert!(face.ignored || face.box_xyxy.has_size());
            for p in face.landmarks.iter() {
                let inside = p.at.iter().all(|v| (0.0..=320.0).contains(v));
                let finite = p.at.iter().all(|v| v.is_finite());
                assert!(finite && p.labelled == inside, "{p:?}");
            }
        }
        assert_eq!(draw(), (crop, out));
    }
}

#[test]
fn the_same_seed_gives_the_same_crop() {
    let pipeline = Pipeline::new(&five_points()).unwrap();
    let photo = dotted(0);
    let draw = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        pipeline.apply(&photo, &[face()], &mut rng).unwrap()
    };
    for seed in 0..10 {
        assert_eq!(draw(seed), draw(seed));
        assert_ne!(draw(seed), draw(seed + 1));
    }
}

#[test]
fn zoom_out_shows_the_mean_colour() {
    let mut config = plain();
    config.augment.zoom_out.probability = 1.0;
    config.input.mean = vec![10.0, 20.0, 30.0]; // blue first
    let pipeline = Pipeline::new(&config).unwrap();
    let crops = (0..30).map(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        pipeline.apply(&dotted(0), &[face()], &mut rng).unwrap().0
    });
    let filled = crops.filter(|crop| crop.pixels().any(|p| p.0 == [30, 20, 10]));
    assert!(filled.count() > 5);
}

#[test]
fn at_least_one_face_remains_in_every_crop() {
    let mut config = Config::default();
    config.train.crop = 96;
    let pipeline = Pipeline::new(&config).unwrap();
    let photo = RgbImage::new(320, 240);
    let crowd: Vec<FaceLabel> = (0..40)
        .map(|i| {
            let (x, y) = (20.0 + (i % 8) as f32 * 38.0, 20.0 + (i / 8) as f32 * 45.0);
            FaceLabel::boxed(BoxXyxy::from_cxcywh([x, y, 4.0 + i as f32, 5.0 + i as f32]))
        })
        .collect();
    for seed in 0..300 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (_, faces) = pipeline.apply(&photo, &crowd, &mut rng).unwrap();
        assert!(faces.iter().any(|f| !f.ignored), "seed {seed}");
        for face in &faces {
            assert_eq!(face.box_xyxy, face.box_xyxy.clip(96.0, 96.0));
            assert!(face.ignored || face.box_xyxy.side() >= config.augment.crop.min_pixels);
        }
    }
}

#[test]
fn odd_photos_and_labels_are_legal() {
    let pipelines = [five_points(), strongest()].map(|c| Pipeline::new(&c).unwrap());
    let odd = [
        vec![],
        vec![FaceLabel {
            ignored: true,
            ..face()
        }],
        vec![FaceLabel::boxed(BoxXyxy::new(5.0, 5.0, 5.0, 5.0))],
        vec![FaceLabel::boxed(BoxXyxy::new(f32::NAN, 0.0, 9.0, 9.0))],
        vec![FaceLabel::boxed(BoxXyxy::new(-500.0, -500.0, 900.0, 900.0))],
        vec![FaceLabel::boxed(BoxXyxy::new(-90.0, -90.0, -50.0, -50.0))],
    ];
    for size in [[1, 1], [1, 900], [320, 240]] {
        let photo = RgbImage::from_pixel(size[0], size[1], Rgb([9, 8, 7]));
        for faces in &odd {
            for (seed, pipeline) in (0..6).zip(pipelines.iter().cycle()) {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let (crop, out) = pipeline.apply(&photo, faces, &mut rng).unwrap();
                assert_eq!(crop.dimensions(), (320, 320));
                assert!(out.len() <= faces.len());
                assert!(out.iter().all(|f| f.ignored || f.box_xyxy.has_size()));
                if faces.first().is_some_and(|f| f.ignored) {
                    assert!(out.iter().all(|f| f.ignored));
                }
            }
        }
    }
}

#[test]
fn impossible_settings_are_named() {
    AugmentConfig::default().validate().unwrap();
    let mut config = Config::default();
    config.augment.blur.sigma = [2.0, 1.0];
    config.augment.flip.probability = f32::NAN;
    config.augment.perspective.share = 0.3;
    config.augment.yaw.shift = 0.6;
    let message = Pipeline::new(&config).unwrap_err().to_string();
    for key in [
        "augment.flip.probability",
        "augment.blur.sigma",
        "augment.perspective.share",
        "augment.yaw.shift",
    ] {
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn free_crops_hold_parts_of_the_photo_and_more_than_all_of_it() {
    let mut config = plain();
    config.augment.crop.free_share = 1.0;
    config.augment.crop.min_pixels = 0.0;
    config.augment.crop.max_upscale = 4.0;
    assert_points_follow_pixels(&config, false);
    let pipeline = Pipeline::new(&config).unwrap();
    let (mut small, mut large) = (0, 0);
    for seed in 0..100 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (_, faces) = pipeline.apply(&dotted(0), &[face()], &mut rng).unwrap();
        // Ten tries nearly always show the face, whose box is 69 pixels in the mean of a photo of 240.
        let Some(face) = faces.first() else { continue };
        let share = face.box_xyxy.side() / 160.0 * 240.0 / 69.3;
        small += usize::from(share < 0.6);
        large += usize::from(share > 1.5 || face.ignored);
    }
    assert!(small > 5 && large > 5, "{small} {large}");
    config.augment.crop.free_sides = [2.0, 2.0];
    let pipeline = Pipeline::new(&config).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (_, faces) = pipeline.apply(&dotted(0), &[face()], &mut rng).unwrap();
    // Twice the shorter side, 480 pixels, in 160: a third.
    assert!((faces[0].box_xyxy.width() - 20.0).abs() < 0.1);
}
