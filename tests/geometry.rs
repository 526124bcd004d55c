//! Edges of the geometry: what has no size, no inverse, no place.

use retinamark::geometry::landmarks::Anatomy;
use retinamark::geometry::{
    Affine, BoxXyxy, Distortion, FaceCrop, Homography, Landmarks, Letterbox, Point, Scheme, YawWarp,
};

#[test]
fn boxes_without_size_or_place() {
    let inverted = BoxXyxy::new(5.0, 0.0, 3.0, 10.0);
    assert_eq!(inverted.area(), 0.0);
    let nothing = BoxXyxy::default();
    assert_eq!(nothing.iou(&nothing), 0.0);
    for b in [
        [0.0, 0.0, 0.0, 9.0],
        [0.0, 0.0, 9.0, 0.0],
        [0.0, 0.0, f32::INFINITY, 9.0],
        [f32::NAN, 0.0, 9.0, 9.0],
    ] {
        assert!(!BoxXyxy::from(b).has_size(), "{b:?}");
    }
    for bad in [f32::NAN, f32::INFINITY] {
        assert_eq!(BoxXyxy::around(&[[0.0, 0.0], [bad, 1.0]]), None);
        assert_eq!(BoxXyxy::around(&[[0.0, 0.0], [1.0, bad]]), None);
    }
}

#[test]
fn each_axis_has_its_own_shift() {
    let b = BoxXyxy::new(1.0, 2.0, 3.0, 4.0).transformed(10.0, [100.0, 200.0]);
    assert_eq!(b, BoxXyxy::new(110.0, 220.0, 130.0, 240.0));
}

#[test]
fn full_size_pads_only_what_does_not_fit() {
    assert_eq!(Letterbox::full(64, 33, 32).input, [64, 64]);
    assert_eq!(Letterbox::full(64, 32, 32).content, [64, 32]);
}

#[test]
fn the_photo_begins_at_zero_and_ends_before_the_padding() {
    let letterbox = Letterbox::square(40, 20, 40);
    for (point, on) in [
        ([0.0, 0.0], true),
        ([39.9, 19.9], true),
        ([40.0, 5.0], false),
        ([5.0, 20.0], false),
        ([-0.1, 5.0], false),
        ([5.0, -0.1], false),
    ] {
        assert_eq!(letterbox.on_content(point), on, "{point:?}");
    }
}

#[test]
fn maps_that_cannot_be_are_none() {
    let with = |value: f32| Affine {
        row_x: [value, 0.0, 0.0],
        ..Affine::IDENTITY
    };
    for value in [0.0, 1e-40, f32::NAN, f32::INFINITY] {
        assert_eq!(with(value).inverse(), None, "{value}");
    }
    let line = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]];
    assert_eq!(Affine::similarity(&line, &[[5.0, 5.0]; 3]), None);
    assert_eq!(Affine::similarity(&line, &line[..2]), None);
    assert!(Affine::similarity(&line, &line).is_some());
    let endless = BoxXyxy::new(0.0, 0.0, f32::INFINITY, 10.0);
    assert_eq!(FaceCrop::of_box(endless, 1.2), None);
}

#[test]
fn eyes_are_the_mean_of_their_points() {
    let scheme = Scheme::ibug68();
    let points: Vec<Point> = (0..68).map(|i| [i as f32, (i * i % 7) as f32]).collect();
    let [left, right, nose, mouth_left, mouth_right] = scheme.five_of(&points).unwrap();
    // The squares of 36 to 41 leave 1, 4, 2, 2, 4, 1 by 7, those of 42 to 47 0, 1, 4, 2, 2, 4.
    let sixth = 1.0 / 6.0;
    for (found, expected) in [(left, [38.5, 14.0 * sixth]), (right, [44.5, 13.0 * sixth])] {
        for i in 0..2 {
            assert!(
                (found[i] - expected[i]).abs() < 1e-4,
                "{found:?}, {expected:?}"
            );
        }
    }
    assert_eq!(
        [nose, mouth_left, mouth_right],
        [points[30], points[48], points[54]]
    );
    assert_eq!(Scheme::five().five_of(&points), None);
}

#[test]
fn a_turned_face_is_known_by_its_middle_half() {
    // Eyes one above the other, as on a lying head: along the line between them is downwards.
    let face = |share: f32| {
        let nose = [20.0, 100.0 * share];
        Landmarks::all([[0.0, 0.0], [0.0, 100.0], nose, [40.0, 20.0], [40.0, 80.0]])
    };
    for (share, turned) in [(0.22, true), (0.26, false), (0.74, false), (0.78, true)] {
        assert_eq!(Scheme::five().is_turned(&face(share)), turned, "{share}");
    }
}

#[test]
fn a_custom_scheme_names_only_points_that_it_has() {
    let scheme = |pairs: &[(usize, usize)], normalise, anatomy| {
        Scheme::new("c", 3, pairs, normalise, anatomy, Vec::new()).is_ok()
    };
    assert!(scheme(&[(0, 1)], [0, 2], Anatomy::default()));
    assert!(!scheme(&[(0, 1), (2, 1)], [0, 2], Anatomy::default())); // 1 stands in two pairs
    assert!(!scheme(&[(0, 1), (1, 2)], [0, 2], Anatomy::default()));
    assert!(!scheme(&[], [0, 3], Anatomy::default()));
    assert!(!scheme(&[], [3, 0], Anatomy::default()));
    let nose = |index| Anatomy {
        nose: vec![index],
        ..Anatomy::default()
    };
    assert!(scheme(&[], [0, 2], nose(2)));
    assert!(!scheme(&[], [0, 2], nose(3)));
}

#[test]
fn just_before_the_horizon_there_is_no_place_either() {
    // The right side is half as high: the denominator is 1 + x / 100, the horizon at x = -100.
    let corners = [[0.0, 0.0], [100.0, 25.0], [100.0, 75.0], [0.0, 100.0]];
    let map = Homography::from_corners([100.0; 2], corners).unwrap();
    assert!(map.apply([-99.8, 50.0])[0].is_finite());
    assert!(map.apply([-99.95, 50.0])[0].is_nan());
    assert!(map.apply([-101.0, 50.0])[0].is_nan());
}

#[test]
fn only_the_default_distortion_moves_nothing() {
    assert!(Distortion::default().is_identity());
    let yaw = YawWarp::new(50.0, 40.0, 0.2);
    let corners = [[0.0, 0.0], [100.0, 25.0], [100.0, 75.0], [0.0, 100.0]];
    let perspective = Homography::from_corners([100.0; 2], corners);
    assert!(yaw.is_some() && perspective.is_some());
    for (perspective, yaw) in [(None, yaw), (perspective, None), (perspective, yaw)] {
        assert!(!Distortion { perspective, yaw }.is_identity());
    }
}
