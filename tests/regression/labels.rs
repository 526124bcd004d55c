//! Labels that were wrong, damaged or not read, and nobody was told.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use image::{Rgb, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use retinamark::anchors::{Anchors, TargetBuilder};
use retinamark::config::{Config, SourceConfig, SourceKind};
use retinamark::data::augment::Pipeline;
use retinamark::data::{Dataset, FaceLabel, Loader, Reason};
use retinamark::geometry::{BoxXyxy, Landmarks, Point};
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
    assert!(error.contains("a.pts:1: point 0"), "{error}");
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
    assert!(note.contains("1 faces are listed twice"), "{note}");
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

// Every line was bad, and the error spoke of photos that another source gives already.
#[test]
fn a_list_without_a_good_line_says_so() {
    let folder = Folder::new(&["a.png"]);
    let good = wflw_line(GOOD, "a.png");
    let bad = good.replacen("10 10", "10 ten", 1);
    let text = format!("{bad}1 2 3\n{}", good.replace("a.png", "gone.png"));
    let error = |source: &SourceConfig| load_skipping(source).unwrap_err().to_string();
    let list = folder.source(SourceKind::Wflw, &text);
    let said = error(&list);
    let first = format!("first: {}:1: `ten`", list.list.display());
    assert!(
        said.starts_with("all 3 lines of ") && said.contains(&first),
        "{said}"
    );
    let said = error(&folder.source(SourceKind::Wider, "x.png\n0\na.png\n1\n1 2 x 4\n"));
    assert!(said.starts_with("all 2 photos of "), "{said}");
    let said = error(&folder.source(SourceKind::Retinaface, "# x.png\n1 2 3 4\n"));
    assert!(
        said.starts_with("all 1 photos of ") && said.contains("missing"),
        "{said}"
    );
    let said = error(&folder.source(SourceKind::Wider, "\n"));
    assert!(said.ends_with("names no photo"), "{said}");
    folder.write("a.pts", "version: 2");
    let points = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let said = error(&points);
    assert!(
        said.starts_with("all 1 files of ") && said.contains("a.pts:1"),
        "{said}"
    );
}

// One broken `.pts` of 2,000 stopped everything in spite of --skip-errors; `IMG_1.JPG` beside
// `img_1.pts`, `.PTS` and `.jfif` were not found, and macOS's `._a.pts` was an error.
#[test]
fn points_are_read_whatever_else_lies_there() {
    let folder = Folder::new(&["a.png", "b.png", "sub/c.png", "d.png"]);
    let text = pts_text(&[[30.0, 40.0], [50.0, 60.0]].repeat(49));
    std::fs::rename(folder.path("b.png"), folder.path("B.JFIF")).unwrap();
    for name in ["a.PTS", "b.pts", "sub/c.pts", "e.pts"] {
        folder.write(name, &text);
    }
    for name in ["._a.pts", "._a.png", "sub/._c.pts"] {
        folder.write(name, "\0\x05\x16\x07");
    }
    std::fs::create_dir(folder.path("folder.pts")).unwrap();
    std::fs::write(folder.path("d.pts"), b"version: 1\n\xff\xfe\n").unwrap();
    folder.write("e.HEIC", "");
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let set = load_skipping(&list).unwrap();
    let names: Vec<&str> = set.samples.iter().map(|s| &*s.name).collect();
    assert_eq!(names, ["a.png", "B.JFIF", "sub/c.png"]);
    let report = set.report.to_string();
    assert_eq!(set.report.count(Reason::Unreadable), 2, "{report}");
    assert!(
        report.contains("folder.pts:1: not a regular file"),
        "{report}"
    );
    assert!(report.contains("d.pts:2: not UTF-8"), "{report}");
    assert!(
        report.contains("e.HEIC is of a kind that cannot be read"),
        "{report}"
    );
    assert!(report.contains("2 files that macOS keeps"), "{report}");
    let error = load(&list).unwrap_err().to_string();
    assert!(error.contains("d.pts:2"), "{error}");
}

// Points were written, and read, half a pixel off against what 300-W and menpo mean.
#[test]
fn points_of_300w_lie_where_menpo_sees_them() {
    let drawn: Point = [41.3, 27.8];
    let photo = RgbImage::from_fn(120, 100, |x, y| {
        let distance = (x as f32 + 0.5 - drawn[0]).hypot(y as f32 + 0.5 - drawn[1]);
        Rgb([(255.0 * (9.5 - distance).clamp(0.0, 1.0)) as u8; 3])
    });
    // Where the disc is when the first pixel has its centre at 0, as menpo counts.
    let mut sum = [0.0f64; 3];
    for (x, y, pixel) in photo.enumerate_pixels() {
        let mass = f64::from(pixel.0[0]);
        let parts = [mass * f64::from(x), mass * f64::from(y), mass];
        sum.iter_mut()
            .zip(parts)
            .for_each(|(sum, part)| *sum += part);
    }
    let folder = Folder::new(&[]);
    photo.save(folder.path("a.png")).unwrap();
    let mut points = vec![drawn];
    points.extend((1..98).map(|i| [10.0 + i as f32, 50.0]));
    let text = pts_text(&points);
    let first = text.lines().nth(3).unwrap();
    let menpo: Vec<f64> = first
        .split(' ')
        .map(|v| v.parse::<f64>().unwrap() - 1.0)
        .collect();
    for axis in 0..2 {
        let off = menpo[axis] - sum[axis] / sum[2];
        assert!(off.abs() < 0.05, "{off} pixels off along axis {axis}");
    }
    folder.write("a.pts", &text);
    let set = load(&source(SourceKind::Pts, folder.dir.path(), Path::new(""))).unwrap();
    let read = &set.samples[0].faces[0].landmarks;
    for (a, b) in read.points().zip(&points) {
        assert!((a[0] - b[0]).abs() < 1e-3 && (a[1] - b[1]).abs() < 1e-3);
    }
}

// A configuration saved by Windows' Notepad was "not valid YAML" at a place that looked fine.
#[test]
fn settings_may_begin_with_a_byte_order_mark() {
    let folder = tempdir();
    let path = folder.path().join("config.yaml");
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Config::load(Some(&path), &[])
    };
    let config = load("\u{feff}train:\r\n  epochs: 7\r\n".as_bytes()).unwrap();
    assert_eq!(config.train.epochs, 7);
    assert_eq!(Config::from_yaml("\u{feff}seed: 3").unwrap().seed, 3);
    let wide: Vec<u8> = "\u{feff}seed: 3\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = format!("{:#}", load(&wide).unwrap_err());
    assert!(
        error.contains("config.yaml") && error.contains("UTF-16"),
        "{error}"
    );
    let error = format!("{:#}", load(b"seed: 3\n# caf\xe9\n").unwrap_err());
    assert!(error.contains("UTF-8"), "{error}");
    // Lists too.
    let lists = Folder::new(&["a.png"]);
    let list = lists.source(SourceKind::Wider, "\u{feff}a.png\r\n0\r\n");
    assert_eq!(crate::data::load(&list).unwrap().samples.len(), 1);
    std::fs::write(&list.list, wide).unwrap();
    let error = crate::data::load(&list).unwrap_err().to_string();
    assert!(error.contains("Wider.txt:1: UTF-16"), "{error}");
}

// WIDER lists that other tools write have `x y w h` alone, and names such as `a.JPE`.
#[test]
fn wider_lists_of_boxes_alone_are_read() {
    let folder = Folder::new(&["a.png", "b.png", "c.png", "d.png"]);
    for (name, to) in [("b.png", "b.JPE"), ("c.png", "c.jfif")] {
        std::fs::rename(folder.path(name), folder.path(to)).unwrap();
    }
    let text = "a.png\n2\n1 2 30 40\n50 6 30 40 0 0 0 1 0 0\nb.JPE\n0\n0 0 0 0\nc.jfif\n1\n5 5 20 30\n\
                d.png\n0\n";
    let set = load(&folder.source(SourceKind::Wider, text)).unwrap();
    let ignored = |photo: usize| set.samples[photo].faces.iter().map(|f| f.ignored);
    assert!(ignored(0).eq([false, true]));
    let counts: Vec<_> = set.samples.iter().map(|s| s.faces.len()).collect();
    assert_eq!(counts, [2, 0, 1, 0]);
    assert_eq!(
        set.samples[0].faces[0].box_xyxy,
        BoxXyxy::new(1.0, 2.0, 31.0, 42.0)
    );
    let unreadable = folder.source(SourceKind::Wider, "a.png\n0\nx.heic\n1\n5 5 20 30\n");
    let error = load(&unreadable).unwrap_err().to_string();
    assert!(error.contains("Wider.txt:3: photo"), "{error}");
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
