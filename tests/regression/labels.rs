//! Labels that were wrong or damaged, and nobody was told.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use image::RgbImage;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use retinamark::anchors::{Anchors, TargetBuilder};
use retinamark::config::{Config, SourceKind};
use retinamark::data::augment::Pipeline;
use retinamark::data::{Dataset, FaceLabel, Loader, Reason};
use retinamark::geometry::{BoxXyxy, Landmarks};
use retinamark::metrics::{Evaluator, Options, Truth};
use retinamark::output::pts_text;

use crate::data::{Folder, load, load_skipping, source, wflw_line};
use crate::support::{drawn_faces, tempdir};

const GOOD: [f32; 4] = [10.0, 10.0, 50.0, 60.0];

/// A list whose line `line` does not fit its photo of 120 x 100 pixels.
fn refused(kind: SourceKind, text: &str, line: usize) {
    let folder = Folder::new(&["a.png", "b.png"]);
    let source = folder.source(kind, text);
    let error = format!("{:#}", load(&source).unwrap_err());
    let place = format!("{}:{line}: ", source.list.display());
    assert!(error.contains(&place), "no `{place}` in `{error}`");
    assert!(error.contains("the photo of 120 x 100"), "{error}");
}

// Points 5,000 pixels from their photo were trained on, and such faces counted as missed.
#[test]
fn labels_outside_their_photo_are_refused_by_line() {
    let good = wflw_line(GOOD, "a.png");
    let far = [
        good.replacen("10 10 ", "5000 10 ", 1),
        good.replacen("10 10 ", "10 -5000 ", 1),
        good.replace("10 10 50 60 0", "10 10 1e38 60 0"),
        good.replace("10 10 50 60 0", "-1e38 -1e38 1e38 1e38 0"),
        wflw_line([5010.0, 10.0, 5050.0, 60.0], "a.png"),
        wflw_line([10.0, -90.0, 50.0, -40.0], "a.png"),
    ];
    for bad in far {
        let text = format!("{good}{}{bad}", wflw_line(GOOD, "b.png"));
        refused(SourceKind::Wflw, &text, 3);
    }
    for bad in [
        "5000 10 40 50",
        "10 10 1e38 50",
        "3e38 10 3e38 50",
        "-60 10 40 50",
    ] {
        let wider = format!("a.png\n2\n10 10 40 50\n{bad} 0 0 0 0 0 0\n");
        refused(SourceKind::Wider, &wider, 4);
        let retinaface = format!("# a.png\n10 10 40 50\n{bad}\n");
        refused(SourceKind::Retinaface, &retinaface, 3);
    }
    let points = "20 25 0 40 25 0 30 35 0 22 5045 0 38 45 1 0.8";
    let text = format!("# b.png\n# a.png\n10 10 40 50 {points}\n");
    refused(SourceKind::Retinaface, &text, 3);
}

#[test]
fn labels_outside_their_photo_are_counted_and_left_out() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let good = wflw_line(GOOD, "a.png");
    let text = good.clone()
        + &good.replacen("10 10 ", "5000 10 ", 1)
        + &wflw_line([910.0, 10.0, 950.0, 60.0], "b.png");
    let set = load_skipping(&folder.source(SourceKind::Wflw, &text)).unwrap();
    assert_eq!((set.samples.len(), set.samples[0].faces.len()), (1, 1));
    assert_eq!(set.report.count(Reason::Outside), 2);
    let shown = set.report.to_string();
    assert!(shown.contains("label outside its photo: 2"), "{shown}");
    assert!(shown.contains("Wflw.txt:2: point 0 (from 0)"), "{shown}");

    // A list of all faces: the rest of the photo would count as background.
    let text = "a.png\n2\n10 10 40 50\n500 10 40 50\nb.png\n1\n10 10 40 50\n";
    let set = load_skipping(&folder.source(SourceKind::Wider, text)).unwrap();
    assert_eq!((set.samples.len(), &*set.samples[0].name), (1, "b.png"));
    assert_eq!(set.report.count(Reason::Outside), 1);

    // Beside another list.
    let mut both = folder.source(SourceKind::Wflw, &good);
    both.wider = Some(folder.write("wider.txt", text));
    let error = load(&both).unwrap_err().to_string();
    assert!(error.contains("wider.txt:4: "), "{error}");
    let set = load_skipping(&both).unwrap();
    assert!(!set.samples[0].complete && set.samples[0].faces.len() == 1);

    let mut pts = pts_text(&[[30.0, 40.0]; 98]);
    pts = pts.replacen("30.500 40.500", "30.500 5040.5", 1);
    folder.write("a.pts", &pts);
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let error = load(&list).unwrap_err().to_string();
    assert!(error.contains("a.pts: point 0"), "{error}");
}

#[test]
fn faces_that_the_edge_of_their_photo_cuts_are_none_of_these() {
    let folder = Folder::new(&["a.png"]);
    for cut in [
        [-15.0, -20.0, 35.0, 40.0],
        [90.0, 60.0, 140.0, 120.0],
        [-20.0, -30.0, 140.0, 130.0],
    ] {
        let set = load(&folder.source(SourceKind::Wflw, &wflw_line(cut, "a.png"))).unwrap();
        assert_eq!(set.samples[0].faces[0].landmarks.labelled().count(), 98);
    }
}

// A face that stood twice in a list counted twice, once as missed: recall one half.
#[test]
fn a_face_listed_twice_counts_once() {
    let folder = Folder::new(&["a.png"]);
    let line = wflw_line(GOOD, "a.png");
    let other = wflw_line([60.0, 10.0, 100.0, 60.0], "a.png");
    let rounded = line.replacen("10 10 ", "10.4 10.1 ", 1);
    let source = folder.source(SourceKind::Wflw, &[line, other, rounded].concat());
    let set = load(&source).unwrap();
    assert_eq!(set.samples[0].faces.len(), 2);
    let note = set.report.notes.concat();
    assert!(
        note.contains("listed twice, which count once: 1;"),
        "{note}"
    );
    assert!(
        note.contains("Wflw.txt") && note.contains("line 3, as in line 1"),
        "{note}"
    );
    assert_eq!(set.report.total(), 0);

    let text = "a.png\n3\n10 10 40 50\n10 10 40 50 0 0 0 0 0 0\n70 10 9 9\n";
    let set = load(&folder.source(SourceKind::Wider, text)).unwrap();
    let faces = &set.samples[0].faces;
    let scheme = Config::default().landmarks.scheme().unwrap();
    let mut evaluator = Evaluator::new(&scheme, Options::default());
    let truth = Truth {
        faces,
        complete: true,
        scale: 1.0,
        subsets: &[],
    };
    evaluator.add(truth, &[]);
    // The small one is below the limit of the AP.
    let ap = evaluator.finish().ap.unwrap();
    assert_eq!((faces.len(), ap.faces), (2, 1));
}

fn face_of(points: usize) -> FaceLabel {
    FaceLabel {
        landmarks: Landmarks::all((0..points).map(|i| [20.0 + i as f32 / 4.0, 30.0])),
        ..FaceLabel::boxed(BoxXyxy::new(15.0, 15.0, 50.0, 50.0))
    }
}

// A face with points of another scheme was mirrored without renaming them, and learned without.
#[test]
fn points_of_another_scheme_are_refused() {
    let config = Config::default();
    let pipeline = Pipeline::new(&config).unwrap();
    let photo = RgbImage::new(80, 80);
    for seed in 0..8 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let error = pipeline
            .apply(&photo, &[face_of(68)], &mut rng)
            .unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("68 landmarks") && error.contains("98"),
            "{error}"
        );
    }
    let builder = TargetBuilder::new(&config).unwrap();
    let anchors = Anchors::generate(&config.anchors, [64, 64]);
    let of = |face: &FaceLabel| builder.build(&anchors, &[face.truth()], true);
    assert!(of(&face_of(98)).is_ok() && of(&face_of(0)).is_ok());
    let error = of(&face_of(68)).unwrap_err().to_string();
    assert!(error.contains("68 landmarks instead of 98"), "{error}");
    let mut nowhere = face_of(98);
    nowhere.landmarks = nowhere.landmarks.map(|_| [f32::NAN; 2]);
    assert!(of(&nowhere).unwrap_err().to_string().contains("nowhere"));
}

// What a worker could not prepare ended a run without saying which photo it was.
#[test]
fn what_a_worker_cannot_prepare_is_named() {
    let folder = tempdir();
    let mut config = Config::default();
    config.train.crop = 64;
    config.data.workers = 1;
    let mut samples = drawn_faces(folder.path(), 1, 96, [40.0, 50.0]);
    samples[0].faces = vec![face_of(5)];
    let set = Arc::new(Dataset::from_samples(samples, &config));
    let error = Loader::epoch(&set, &config, 0, 0)
        .next()
        .unwrap()
        .unwrap_err();
    let mut text = String::new();
    write!(text, "{error:#}").unwrap();
    assert!(
        text.contains("face_0.png") && text.contains("5 landmarks"),
        "{text}"
    );
}
