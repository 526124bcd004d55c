use super::*;
use crate::geometry::{HeadPose, Landmarks};

fn options() -> Options {
    Options {
        score: 0.5,
        overlap: 0.4,
        extension: 0.5,
        rotation: 0.0,
        jitter: 0.0,
        share: 1.0,
        validation: 0.25,
        side: 60,
        ranges: vec![CropRange::Unit],
        seed: 3,
    }
}

fn face(x: f32) -> FaceLabel {
    FaceLabel {
        landmarks: Landmarks::all([[x, 0.0], [x + 10.0, 10.0]]),
        ..FaceLabel::boxed([x, 0.0, x + 10.0, 10.0].into())
    }
}

fn found(x: f32, score: f32) -> Face {
    Face {
        box_xyxy: [x, 0.0, x + 10.0, 10.0].into(),
        score,
        landmarks: Vec::new(),
        landmark_scores: None,
        pose: None,
    }
}

#[test]
fn photos_are_divided_by_seed_alone() {
    let parts = options().parts(40);
    let count = |parts: &[_], part| parts.iter().filter(|&&p| p == part).count();
    assert_eq!(count(&parts, Some(Part::Validation)), 10);
    assert_eq!(count(&parts, Some(Part::Train)), 30);
    assert_eq!(parts, options().parts(40));
    let half = Options {
        share: 0.5,
        seed: 4,
        ..options()
    };
    let parts = half.parts(40);
    assert_eq!(
        (count(&parts, None), count(&parts, Some(Part::Validation))),
        (20, 5)
    );
    assert_ne!(parts, Options { seed: 5, ..half }.parts(40));
}

#[test]
fn it_is_said_why_a_face_is_left_out() {
    let mut ignored = face(0.0);
    ignored.ignored = true;
    let faces = [
        face(0.0),
        face(50.0),
        face(100.0),
        face(150.0),
        face(200.0),
        ignored,
    ];
    let faces: Vec<FaceLabel> = faces
        .into_iter()
        .chain([FaceLabel::boxed([0.0, 0.0, 9.0, 9.0].into())])
        .collect();
    let detections = [
        found(1.0, 0.9),
        found(51.0, 0.4),
        found(108.0, 0.9),
        found(201.0, 0.5),
    ];
    let fates = options().fates(&faces, &detections);
    assert_eq!(
        fates,
        [
            Fate::Found(0),
            Fate::LowScore,
            Fate::LittleOverlap,
            Fate::Missed,
            Fate::Found(3),
            Fate::Unlabelled,
            Fate::Unlabelled
        ]
    );
    let any = Options {
        overlap: 0.0,
        ..options()
    };
    assert_eq!(
        any.fates(&faces, &detections)[2..4],
        [Fate::Found(2), Fate::Missed]
    );
}

#[test]
fn a_crop_is_the_extended_detection() {
    let detection = BoxXyxy::new(10.0, 20.0, 30.0, 60.0);
    let square = options().square(&detection, &mut options().photo_rng(0));
    assert_eq!(
        (square.centre, square.side, square.angle),
        ([20.0, 40.0], 60.0, 0.0)
    );
    let photo = RgbImage::from_pixel(100, 100, image::Rgb([200; 3]));
    let (picture, label) = options().cut(&photo, &face(12.0), &square).unwrap();
    assert_eq!(picture.dimensions(), (60, 60));
    // The crop begins at (-10, 10) of the photo.
    assert_eq!(label.landmarks[0].at, [22.0, -10.0]);
    assert_eq!(
        (picture.get_pixel(5, 30).0, picture.get_pixel(30, 30).0),
        ([0; 3], [200; 3])
    );
}

#[test]
fn rotation_and_jitter_stay_within_their_limits() {
    let wild = Options {
        rotation: 30.0,
        jitter: 0.1,
        ..options()
    };
    let detection = BoxXyxy::new(10.0, 20.0, 30.0, 60.0);
    let mut rng = wild.photo_rng(7);
    let squares: Vec<FaceCrop> = (0..200)
        .map(|_| wild.square(&detection, &mut rng))
        .collect();
    let most = |of: fn(&FaceCrop) -> f32| squares.iter().map(|s| of(s).abs()).fold(0.0, f32::max);
    let limits = [
        (most(|s| s.angle.to_degrees()), 30.0),
        (most(|s| s.centre[0] - 20.0), 6.0),
        (most(|s| s.centre[1] - 40.0), 6.0),
        (most(|s| s.side - 60.0), 6.0),
    ];
    for (most, limit) in limits {
        assert!(
            most <= limit + 1e-3 && most > 0.9 * limit,
            "{most} of {limit}"
        );
    }
    let turned = FaceCrop {
        centre: [20.0, 40.0],
        side: 60.0,
        angle: 0.5,
    };
    let mut face = face(12.0);
    face.pose = Some(HeadPose {
        roll: 0.5,
        ..HeadPose::default()
    });
    let photo = RgbImage::new(100, 100);
    let (_, label) = wild.cut(&photo, &face, &turned).unwrap();
    assert!(label.pose.unwrap().roll.abs() < 1e-5);
}
