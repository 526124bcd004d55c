//! What several lists say together: schemes, missing faces, unsure points, shared photos.

use retinamark::config::{Config, PoseConvention, SchemeName, SourceConfig, SourceKind};
use retinamark::data::{Dataset, MATCH_IOU, refuse_overlap};
use retinamark::geometry::{BoxXyxy, HeadPose, Scheme};

use super::{Folder, load, wflw_line};

#[test]
fn schemes_with_a_known_relation_serve_each_other() {
    let folder = Folder::new(&["a.png"]);
    let text = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png");
    let source = folder.source(SourceKind::Wflw, &text);
    let own = load(&source).unwrap().samples[0].faces[0].clone();
    let mut config = Config::default();
    config.landmarks.scheme = SchemeName::Ibug68;
    let set = Dataset::load(std::slice::from_ref(&source), &config).unwrap();
    let face = &set.samples[0].faces[0];
    assert_eq!(face.landmarks.len(), 68);
    assert_eq!(face.landmarks[36], own.landmarks[60]);
    assert!(face.landmarks.iter().all(|p| p.labelled));
    config.landmarks.scheme = SchemeName::Five;
    let set = Dataset::load(&[source], &config).unwrap();
    let face = &set.samples[0].faces[0];
    assert_eq!(face.landmarks.len(), 5);
    assert_eq!(face.landmarks[3], own.landmarks[76]);
}

#[test]
fn a_wider_list_gives_the_missing_faces() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let rect = [10.0, 10.0, 50.0, 60.0];
    let text = wflw_line(rect, "a.png")
        + &wflw_line([55.0, 10.0, 95.0, 60.0], "a.png")
        + &wflw_line(rect, "b.png");
    let mut source = folder.source(SourceKind::Wflw, &text);
    // The first face, slightly larger and called invalid; a new one; one to ignore.
    let wider = "a.png\n3\n9 6 42 56 0 0 0 1 0 0\n5 70 10 12 0 0 0 0 0 0\n60 70 9 9 0 0 0 1 0 0\n\
                 other.png\n1\n1 2 3 4 0 0 0 0 0 0\n";
    source.wider = Some(folder.write("wider.txt", wider));
    let set = load(&source).unwrap();
    let (a, b) = (&set.samples[0], &set.samples[1]);
    assert!(a.complete && !b.complete);
    assert_eq!((a.faces.len(), b.faces.len()), (4, 1));
    let [matched, alone, added, ignored] = a.faces.as_slice() else {
        panic!("four faces")
    };
    assert_eq!(matched.box_xyxy, BoxXyxy::new(9.0, 6.0, 51.0, 62.0));
    assert!(matched.has_landmarks() && !matched.ignored);
    assert_eq!(alone.box_xyxy, BoxXyxy::new(55.0, 10.0, 95.0, 60.0));
    assert!(!added.has_landmarks() && !added.ignored);
    assert!(ignored.ignored);

    source.complete = Some(false);
    assert!(!load(&source).unwrap().samples[0].complete);
}

#[test]
fn neighbours_are_matched_one_to_one_best_first() {
    let folder = Folder::new(&["a.png"]);
    let text = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png")
        + &wflw_line([22.0, 10.0, 62.0, 60.0], "a.png");
    let mut source = folder.source(SourceKind::Wflw, &text);
    // Both boxes overlap both faces by more than the threshold.
    let wider = "a.png\n2\n20 10 40 50 0 0 0 0 0 0\n11 10 40 50 0 0 0 0 0 0\n";
    source.wider = Some(folder.write("wider.txt", wider));
    let set = load(&source).unwrap();
    let faces = &set.samples[0].faces;
    assert!(faces[0].box_xyxy.iou(&BoxXyxy::new(22.0, 10.0, 62.0, 60.0)) > MATCH_IOU);
    assert_eq!((faces[0].box_xyxy.x1, faces[1].box_xyxy.x1), (11.0, 20.0));
    assert_eq!(faces.len(), 2);
}

#[test]
fn unsure_points_are_dropped_and_their_boxes_stay() {
    let folder = Folder::new(&["a.png"]);
    let text = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png")
        + &wflw_line([60.0, 10.0, 100.0, 60.0], "a.png");
    let mut source = folder.source(SourceKind::Wflw, &text);
    source.disagreement = Some(folder.write("unsure.txt", "0.05\n0.0501\n"));
    source.max_disagreement = Some(0.05);
    let set = load(&source).unwrap();
    let faces = &set.samples[0].faces;
    assert!(faces[0].has_landmarks() && !faces[1].has_landmarks());
    assert_eq!(faces[1].box_xyxy.x1, 60.0);

    folder.write("unsure.txt", "0.05\n");
    let error = load(&source).unwrap_err().to_string();
    assert!(
        error.contains("1 numbers") && error.contains("2 faces"),
        "{error}"
    );
    folder.write("unsure.txt", "0.05\nx\n");
    let error = load(&source).unwrap_err().to_string();
    assert!(error.contains("unsure.txt:2:"), "{error}");
}

#[test]
fn a_file_beside_the_list_tells_how_heads_are_turned() {
    let folder = Folder::new(&["a.png"]);
    let text = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png")
        + &wflw_line([60.0, 10.0, 100.0, 60.0], "a.png");
    let mut source = folder.source(SourceKind::Wflw, &text);
    source.pose = Some(folder.write("pose.txt", "5 -6 7.5\nnan nan nan\n"));
    let poses = |source: &SourceConfig, config: &Config| {
        let set = Dataset::load(std::slice::from_ref(source), config).unwrap();
        let faces = set.samples[0].faces.iter();
        let poses: Vec<_> = faces.map(|face| face.pose.map(HeadPose::degrees)).collect();
        (poses, set.report.notes)
    };
    let near = |found: Option<[f32; 3]>, truth: [f32; 3]| {
        let found = found.expect("a pose");
        assert!(
            found.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-3),
            "{found:?}"
        );
    };
    let (found, notes) = poses(&source, &Config::default());
    near(found[0], [5.0, -6.0, 7.5]);
    assert!(found[1].is_none() && notes.is_empty(), "{notes:?}");
    let config = Config::from_yaml("data: {pose: labels_or_points}").unwrap();
    let (found, notes) = poses(&source, &config);
    near(found[0], [5.0, -6.0, 7.5]);
    let counted =
        "head poses of 1 faces from labels, of 1 from points; 0 faces with points have none";
    assert!(
        found[1].is_some() && notes[0].contains(counted),
        "{notes:?}"
    );
    let config = Config::from_yaml("data: {pose: points}").unwrap();
    assert_ne!(poses(&source, &config).0[0], found[0]);
    folder.write("pose.txt", "5 0 0\n0 -6 0\n");
    source.pose_convention = PoseConvention::Face3d;
    let (found, _) = poses(&source, &Config::default());
    near(found[0], [-5.0, 0.0, 0.0]);
    near(found[1], [0.0, -6.0, 0.0]);

    for (text, why) in [("1 2 3\n", "1 lines"), ("1 2 3\n4 5\n", "pose.txt:2")] {
        folder.write("pose.txt", text);
        let error = format!("{:#}", load(&source).unwrap_err());
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn points_that_their_makers_disagree_about_count_less_and_are_drawn_seldom() {
    let folder = Folder::new(&["a.png"]);
    let line = |x: f32| wflw_line([x, 10.0, x + 40.0, 60.0], "a.png");
    let mut source = folder.source(
        SourceKind::Wflw,
        &[line(1.0), line(42.0), line(83.0)].concat(),
    );
    source.disagreement = Some(folder.write("unsure.txt", "0\n0.06\n0.02\n"));
    source.half_disagreement = Some(0.02);
    let set = load(&source).unwrap();
    let trusts: Vec<f32> = set.samples[0].faces.iter().map(|f| f.trust).collect();
    assert_eq!(trusts, [1.0, 0.1, 0.5]);
    let unsure = set.samples[0].faces[1].truth();
    assert_eq!((unsure.weight, unsure.doubt), (0.1, 0.06));
    // 1, 1/2 and 1/8 times as often, with what is left of a tenth: 0.8.
    let mut config = Config::default();
    config.train.samples_per_epoch = 130;
    let faces = set.by_face(&Scheme::wflw98(), 1.0).unwrap();
    let left: Vec<f32> = faces.samples.iter().map(|s| s.faces[0].trust).collect();
    assert_eq!(left, [1.0, 1.0, 0.8]);
    let mut drawn = [0; 3];
    faces.epoch(&config, 0).iter().for_each(|&i| drawn[i] += 1);
    assert_eq!(drawn, [80, 40, 10]);
}

#[test]
fn photos_shared_by_training_and_validation_are_refused() {
    let folder = Folder::new(&["a.png", "b.png", "c.png"]);
    std::fs::copy(folder.path("a.png"), folder.path("copy.png")).unwrap();
    let set =
        |name: &str| load(&folder.source(SourceKind::Wider, &format!("{name}\n0\n"))).unwrap();
    assert!(refuse_overlap(&set("a.png"), &set("b.png")).is_ok());
    for twin in ["a.png", "./a.png", "copy.png"] {
        let error = refuse_overlap(&set("a.png"), &set(twin)).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("1 of 1") && error.contains("a.png"),
            "{error}"
        );
    }
}

#[test]
fn a_photo_of_two_sources_stays_with_the_first() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let first = folder.source(
        SourceKind::Wflw,
        &wflw_line([10.0, 10.0, 50.0, 60.0], "a.png"),
    );
    let second = folder.source(SourceKind::Wider, "a.png\n0\nb.png\n0\n");
    let set = Dataset::load(&[first.clone(), second], &Config::default()).unwrap();
    let sources: Vec<_> = set.samples.iter().map(|s| (&*s.name, s.source)).collect();
    assert_eq!(sources, [("a.png", 0), ("b.png", 1)]);
    assert!(Dataset::load(&[first.clone(), first], &Config::default()).is_err());
}
