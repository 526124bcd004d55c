//! Lists of labelled photos: what is read, what is refused, and the batches made of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{Rgb, RgbImage};
use retinamark::config::{Config, OnError, SchemeName, SourceConfig, SourceKind};
use retinamark::data::{Batch, Dataset, Loader, MATCH_IOU, Reason, refuse_overlap};
use retinamark::geometry::BoxXyxy;
use tempfile::TempDir;

use crate::support::tempdir;

/// A folder with photos and lists.
struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new(photos: &[&str]) -> Self {
        let folder = Self { dir: tempdir() };
        for (i, name) in photos.iter().enumerate() {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let shade = |x: u32, y: u32| Rgb([(x * 2) as u8, (y * 2) as u8, i as u8 * 40]);
            let photo = RgbImage::from_fn(120, 100, shade);
            photo.save(path).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn source(&self, kind: SourceKind, text: &str) -> SourceConfig {
        let list = self.write(&format!("{kind:?}.txt"), text);
        source(kind, &list, self.dir.path())
    }
}

fn source(kind: SourceKind, list: &Path, images: &Path) -> SourceConfig {
    SourceConfig {
        kind,
        list: list.into(),
        images: images.into(),
        weight: 1.0,
        wider: None,
        disagreement: None,
        max_disagreement: None,
        complete: None,
    }
}

/// Ninety-eight points spread over `b`, the rectangle, no attribute but blur.
fn wflw_line(b: [f32; 4], name: &str) -> String {
    let mut line = String::new();
    for i in 0..98 {
        let (x, y) = ((i % 10) as f32 / 9.0, (i / 10) as f32 / 9.0);
        let (x, y) = (b[0] + x * (b[2] - b[0]), b[1] + y * (b[3] - b[1]));
        write!(line, "{x} {y} ").unwrap();
    }
    format!(
        "{line}{} {} {} {} 0 0 0 0 0 1 {name}\n",
        b[0], b[1], b[2], b[3]
    )
}

fn load(source: &SourceConfig) -> anyhow::Result<Dataset> {
    Dataset::load(std::slice::from_ref(source), &Config::default())
}

fn load_skipping(source: &SourceConfig) -> anyhow::Result<Dataset> {
    let mut config = Config::default();
    config.data.on_error = OnError::Skip;
    Dataset::load(std::slice::from_ref(source), &config)
}

/// The list must be refused, with its name, `line` and `words` in the message.
#[track_caller]
fn refused(folder: &Folder, kind: SourceKind, text: &str, line: usize, words: &str) {
    let source = folder.source(kind, text);
    let error = format!("{:#}", load(&source).unwrap_err());
    let place = format!("{}:{line}:", source.list.display());
    assert!(error.contains(&place), "no `{place}` in `{error}`");
    assert!(error.contains(words), "no `{words}` in `{error}`");
}

#[test]
fn wflw_lines_of_one_photo_make_one_sample() {
    let folder = Folder::new(&["a.png", "with a space.png"]);
    let text = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png")
        + &wflw_line([1.0, 2.0, 31.0, 42.0], "with a space.png")
        + &wflw_line([60.0, 10.0, 100.0, 60.0], "a.png");
    let set = load(&folder.source(SourceKind::Wflw, &text.replace('\n', "\r\n"))).unwrap();
    assert_eq!(set.samples.len(), 2);
    let (a, spaced) = (&set.samples[0], &set.samples[1]);
    assert_eq!((a.faces.len(), &*spaced.name), (2, "with a space.png"));
    assert!(!a.complete, "other faces of the photo are not known");
    let face = &a.faces[1];
    assert_eq!(face.box_xyxy, BoxXyxy::new(60.0, 10.0, 100.0, 60.0));
    assert_eq!(
        (face.landmarks.len(), face.landmarks[0]),
        (98, [60.0, 10.0])
    );
    assert!(face.labelled.iter().all(|&l| l) && !face.ignored);
    let blurred = [false, false, false, false, false, true];
    assert_eq!(face.attributes, Some(blurred));
    assert_eq!(set.report.total(), 0);
}

#[test]
fn bad_wflw_lines_are_refused_with_file_and_line() {
    let folder = Folder::new(&["a.png"]);
    let good = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png");
    let second = |bad: &str| format!("{good}{bad}");
    let cases = [
        (good.replacen("10 10", "10 ten", 1), "`ten`"),
        (good.replacen("10 10", "NaN 10", 1), "not a finite number"),
        (good.replacen("10 10", "10 -inf", 1), "not a finite number"),
        (good.replacen("10 10", "10 1e99", 1), "not a finite number"),
        (good.replacen("10 10 ", "10 ", 1), "number"),
        (good.replacen("10 10", "10 10 10", 1), "attribute"),
        (good.replace("0 1 a.png", "0 2 a.png"), "attribute `2`"),
        (good.replace(" a.png", ""), "numbers before the image name"),
        ("1 2 3\n".into(), "numbers before the image name"),
    ];
    for (bad, words) in cases {
        refused(&folder, SourceKind::Wflw, &second(&bad), 2, words);
    }
    let missing = good.replace("a.png", "gone.png");
    refused(&folder, SourceKind::Wflw, &second(&missing), 2, "missing");
    let shorter = good.replacen("10 10", "10 10 10", 1).replace(" a.png", "");
    refused(
        &folder,
        SourceKind::Wflw,
        &second(&shorter),
        2,
        "no image name",
    );
}

#[test]
fn a_list_that_is_no_text_or_is_not_there_is_refused() {
    let folder = Folder::new(&["a.png"]);
    let list = folder.path("list.txt");
    std::fs::write(&list, b"0 0\n\xff\xfe\n").unwrap();
    let binary = source(SourceKind::Wflw, &list, folder.dir.path());
    let error = format!("{:#}", load(&binary).unwrap_err());
    assert!(error.contains("list.txt:2: not UTF-8"), "{error}");
    let gone = source(
        SourceKind::Wider,
        &folder.path("gone.txt"),
        folder.dir.path(),
    );
    let error = format!("{:#}", load(&gone).unwrap_err());
    assert!(error.contains("gone.txt"), "{error}");
    let empty = folder.source(SourceKind::Wider, "\n");
    assert!(load(&empty).is_err(), "a source without photos");
    assert!(Dataset::load(&[], &Config::default()).is_err());
}

#[test]
fn skipping_counts_by_reason_and_keeps_the_rest() {
    let folder = Folder::new(&["a.png"]);
    folder.write("broken.png", "not a photo");
    folder.write("empty.png", "");
    let good = wflw_line([10.0, 10.0, 50.0, 60.0], "a.png");
    let text = [
        good.clone(),
        good.replacen("10 10", "10 ten", 1),
        good.replacen("10 10", "10 NaN", 1),
        good.replacen("10 10", "nan 10", 1),
        "1 2 3\n".into(),
        good.replace("a.png", "gone.png"),
        good.replace("a.png", "broken.png"),
        good.replace("a.png", "empty.png"),
    ];
    let source = folder.source(SourceKind::Wflw, &text.concat());
    let set = load_skipping(&source).unwrap();
    assert_eq!((set.samples.len(), set.samples[0].faces.len()), (1, 1));
    let report = &set.report;
    assert_eq!(report.total(), 7, "{report}");
    assert_eq!(report.count(Reason::Malformed), 1);
    assert_eq!(report.count(Reason::NotFinite), 2);
    assert_eq!(report.count(Reason::WrongCount), 1);
    assert_eq!(report.count(Reason::MissingPhoto), 1);
    assert_eq!(report.count(Reason::BrokenPhoto), 2);
    let shown = report.to_string();
    assert!(shown.contains("Wflw.txt:3: `NaN`"), "{shown}");
    assert!(shown.contains("photo broken: 2"), "{shown}");
}

#[test]
fn wider_lists_with_and_without_the_line_of_zeros() {
    let folder = Folder::new(&["a.png", "b.png", "c.png", "d/e 1.png"]);
    let text = "a.png\n0\n0 0 0 0 0 0 0 0 0 0 \nb.png\n0\nc.png\n3\n1 2 3 4 0 0 0 0 0 0 \n\
                5 6 7 8 0 0 0 1 0 0\n9 9 0 5 0 0 0 0 0 0\nd/e 1.png\n1\n5 5 20 30 2 1 1 0 2 1\n";
    let set = load(&folder.source(SourceKind::Wider, text)).unwrap();
    let counts: Vec<_> = set.samples.iter().map(|s| s.faces.len()).collect();
    assert_eq!(counts, [0, 0, 3, 1]);
    assert!(set.samples.iter().all(|s| s.complete));
    let faces = &set.samples[2].faces;
    assert_eq!(faces[0].box_xyxy, BoxXyxy::new(1.0, 2.0, 4.0, 6.0));
    let ignored: Vec<_> = faces.iter().map(|f| f.ignored).collect();
    assert_eq!(ignored, [false, true, true], "invalid, and without size");
    assert!(faces.iter().all(|f| f.landmarks.is_empty()));
}

#[test]
fn bad_wider_lists_are_refused_with_file_and_line() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let ok = "a.png\n1\n1 2 3 4 0 0 0 0 0 0\n";
    let cases = [
        (
            "b.png\n2\n1 2 3 4 0 0 0 0 0 0\n",
            5,
            "2 faces, but 1 follow",
        ),
        (
            "b.png\n2\n1 2 3 4 0 0 0 0 0 0\nc.png\n0\n",
            5,
            "but 1 follow",
        ),
        (
            "b.png\n1\n1 2 3 4 0 0 0 0 0 0\n1 2 3 4 0 0 0 0 0 0\n",
            7,
            "number of faces above too small",
        ),
        ("b.png\nmany\n", 5, "number of faces"),
        ("b.png\n", 4, "ends before the number of faces"),
        (
            "b.png\n1\n1 2 3 4 0 0 0 0 0\n",
            6,
            "9 numbers instead of 10",
        ),
        ("b.png\n1\n1 2 x 4 0 0 0 0 0 0\n", 6, "`x`"),
        ("b.png\n1\n1 2 nan 4 0 0 0 0 0 0\n", 6, "not a finite"),
        ("a.png\n0\n", 4, "named twice, first in line 1"),
        ("gone.png\n0\n", 4, "missing"),
    ];
    for (bad, line, words) in cases {
        refused(
            &folder,
            SourceKind::Wider,
            &format!("{ok}{bad}"),
            line,
            words,
        );
    }
    // Skipping takes up the list again at the next photo.
    let text = format!("b.png\n5\n1 2 x 4 0 0 0 0 0 0\n7 7 7 7 0 0 0 0 0 0\n{ok}");
    let set = load_skipping(&folder.source(SourceKind::Wider, &text)).unwrap();
    assert_eq!((set.samples.len(), &*set.samples[0].name), (1, "a.png"));
    assert_eq!(set.report.count(Reason::Malformed), 1);
}

#[test]
fn retinaface_lists_give_boxes_and_five_points() {
    let folder = Folder::new(&["a.png", "b.png", "c.png"]);
    let text = "# a.png\n\
        10 10 40 50 20 25 0.0 40 25 0.0 30 35 0.0 22 45 0.0 38 45 1.0 0.82\n\
        60 10 40 50 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 0.5\n\
        # b.png\n1 2 3 4\n5 5 0 0\n# c.png\n\
        10 10 40 50 20 25 0 -1 -1 -1 30 35 0 22 45 0 38 45 1 0.8\n";
    let source = folder.source(SourceKind::Retinaface, text);
    let set = load(&source).unwrap();
    assert!(
        set.samples
            .iter()
            .flat_map(|s| &s.faces)
            .all(|f| f.landmarks.is_empty()),
        "five points do not say where the 98 are"
    );
    assert!(set.report.to_string().contains("boxes only"));

    let mut config = Config::default();
    config.landmarks.scheme = SchemeName::Five;
    let set = Dataset::load(&[source], &config).unwrap();
    let face = |photo: usize, face: usize| &set.samples[photo].faces[face];
    assert_eq!(face(0, 0).landmarks[2], [30.0, 35.0]);
    assert!(!face(0, 1).has_landmarks() && face(0, 1).landmarks.is_empty());
    assert_eq!(face(1, 0).box_xyxy, BoxXyxy::new(1.0, 2.0, 4.0, 6.0));
    assert!(face(1, 1).ignored);
    assert_eq!(face(2, 0).labelled, [true, false, true, true, true]);
}

#[test]
fn bad_retinaface_lists_are_refused_with_file_and_line() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let cases = [
        ("1 2 3 4\n", 1, "before the first"),
        ("#\n", 1, "no image name"),
        ("# a.png\n1 2 3\n", 2, "3 numbers"),
        ("# a.png\n1 2 3 4 5\n", 2, "5 numbers"),
        ("# a.png\n1 2 3 inf\n", 2, "not a finite"),
        ("# a.png\n1 2 3 4\n# a.png\n", 3, "named twice"),
        ("# gone.png\n1 2 3 4\n", 1, "missing"),
    ];
    for (text, line, words) in cases {
        refused(&folder, SourceKind::Retinaface, text, line, words);
    }
    let text = "# a.png\n1 2 3 4\n1 2 3 x\n1 2 3 y\n# b.png\n5 6 7 8\n";
    let set = load_skipping(&folder.source(SourceKind::Retinaface, text)).unwrap();
    assert_eq!((set.samples.len(), &*set.samples[0].name), (1, "b.png"));
    assert_eq!(set.report.total(), 1, "the rest of a bad photo is not read");
}

/// A `.pts` text whose point `i`, counted from 0, lies at `[i, 2 i]` of the photo.
fn pts_text(points: usize) -> String {
    let mut text = format!("version: 1\nn_points: {points}\n{{\n");
    for i in 0..points {
        writeln!(text, "{} {}", i + 1, 2 * i + 1).unwrap();
    }
    text + "}\n"
}

#[test]
fn pts_files_count_from_one_and_label_68_of_98_points() {
    let folder = Folder::new(&["a.png", "sub/b.png"]);
    folder.write("a.pts", &pts_text(68));
    folder.write("sub/b.pts", &pts_text(98));
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let set = load(&list).unwrap();
    assert_eq!((&*set.samples[0].name, set.samples.len()), ("a.png", 2));
    let face = &set.samples[0].faces[0];
    assert_eq!(face.box_xyxy, BoxXyxy::new(0.0, 0.0, 67.0, 134.0));
    assert_eq!(face.labelled.iter().filter(|&&l| l).count(), 68);
    // 300-W point 36, the outer corner of an eye, is WFLW point 60.
    assert_eq!(
        (face.landmarks[60], face.labelled[60]),
        ([36.0, 72.0], true)
    );
    assert!(
        !face.labelled[62] && !face.labelled[96],
        "no such 300-W points"
    );
    assert!(!set.samples[0].complete);
    assert!(set.samples[1].faces[0].labelled.iter().all(|&l| l));

    let glob = source(SourceKind::Pts, &folder.path("s*/*.pts"), Path::new(""));
    assert_eq!(load(&glob).unwrap().samples.len(), 1);
}

#[test]
fn bad_pts_files_are_refused_with_file_and_line() {
    let good = pts_text(68);
    let cases = [
        (good.replace("version: 1\n", ""), 1, "`version: 1`"),
        (
            good.replace("n_points: 68", "points 68"),
            2,
            "`n_points: 68`",
        ),
        (good.replace('{', ""), 4, "`{`"),
        (good.replace("\n1 1\n", "\n1 1 1\n"), 4, "3 numbers"),
        (good.replace("\n1 1\n", "\n1 nan\n"), 4, "not a finite"),
        (
            good.replace("\n1 1\n", "\n"),
            2,
            "67 points, but n_points says 68",
        ),
        (good.replace('}', ""), 71, "`}`"),
        (pts_text(29), 2, "29 points"),
        (String::new(), 1, "the file ends"),
    ];
    for (text, line, words) in cases {
        let folder = Folder::new(&["a.png"]);
        let file = folder.write("a.pts", &text);
        let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
        let error = format!("{:#}", load(&list).unwrap_err());
        let place = format!("{}:{line}:", file.display());
        assert!(error.contains(&place), "no `{place}` in `{error}`");
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
    let folder = Folder::new(&[]);
    folder.write("a.pts", &good);
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let error = format!("{:#}", load(&list).unwrap_err());
    assert!(error.contains("a.pts:1: no photo"), "{error}");
}

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
    assert!(face.labelled.iter().all(|&l| l));
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

/// Seven photos with a face each, and a configuration that makes small batches of them.
fn small() -> (Folder, SourceConfig, Config) {
    let names: Vec<String> = (0..7).map(|i| format!("{i}.png")).collect();
    let folder = Folder::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let line = |n: &String| wflw_line([30.0, 20.0, 80.0, 85.0], n);
    let text: String = names.iter().map(line).collect();
    let source = folder.source(SourceKind::Wflw, &text);
    let mut config = Config {
        seed: 11,
        ..Config::default()
    };
    config.train.batch_size = 3;
    config.train.crop = 64;
    (folder, source, config)
}

fn batches(set: &Arc<Dataset>, config: &Config, epoch: usize, first: usize) -> Vec<Batch> {
    Loader::epoch(set, config, epoch, first)
        .map(|batch| batch.unwrap())
        .collect()
}

#[test]
fn batches_do_not_depend_on_the_number_of_workers() {
    let (_folder, source, mut config) = small();
    let set = Arc::new(Dataset::load(&[source], &config).unwrap());
    config.data.workers = 1;
    let one = batches(&set, &config, 2, 0);
    config.data.workers = 3;
    config.data.prefetch = 1;
    assert!(one == batches(&set, &config, 2, 0));
    assert!(one[1..] == batches(&set, &config, 2, 1)[..], "resumed");
    assert!(one != batches(&set, &config, 3, 0), "another epoch");
    config.seed = 12;
    assert!(one != batches(&set, &config, 2, 0), "another seed");

    assert_eq!(
        one.iter().map(|b| b.names.len()).collect::<Vec<_>>(),
        [3, 3, 1]
    );
    let mut names: Vec<_> = one.iter().flat_map(|b| b.names.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 7, "every photo once");
    for batch in &one {
        assert_eq!(batch.images.len(), batch.names.len() * 3 * 64 * 64);
        assert!(batch.images.iter().all(|v| v.is_finite()));
        assert_eq!(batch.faces.len(), batch.targets.len());
    }
    assert!(
        one.iter()
            .flat_map(|b| &b.targets)
            .any(|t| !t.positives.is_empty())
    );
}

#[test]
fn a_loader_ends_when_it_is_dropped_and_tells_how_long_it_was() {
    let (_folder, source, config) = small();
    let set = Arc::new(Dataset::load(&[source], &config).unwrap());
    let mut loader = Loader::epoch(&set, &config, 0, 0);
    assert_eq!(loader.len(), 3);
    loader.next().unwrap().unwrap();
    drop(loader);
    assert_eq!(Arc::strong_count(&set), 1, "no worker holds the data set");
    assert!(Loader::epoch(&set, &config, 0, 3).next().is_none());
}

#[test]
fn a_photo_that_breaks_is_an_error_or_left_out() {
    let (folder, source, mut config) = small();
    let load =
        |config: &Config| Arc::new(Dataset::load(std::slice::from_ref(&source), config).unwrap());
    // The header is fine, the rest is gone.
    let path = folder.path("3.png");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let set = load(&config);
    let errors: Vec<_> = Loader::epoch(&set, &config, 0, 0)
        .filter_map(Result::err)
        .collect();
    assert_eq!(errors.len(), 1, "only the batch with the broken photo");
    let error = format!("{:#}", errors[0]);
    assert!(
        error.contains("Wflw.txt:4") && error.contains("3.png"),
        "{error}"
    );

    config.data.on_error = OnError::Skip;
    let set = load(&config);
    let all = batches(&set, &config, 0, 0);
    assert_eq!(all.iter().map(|b| b.names.len()).sum::<usize>(), 7);
    assert!(all.iter().flat_map(|b| &b.names).all(|n| &**n != "3.png"));
    batches(&set, &config, 1, 0);
    assert_eq!(set.left_out().count(Reason::BrokenPhoto), 1, "counted once");
}

/// The real lists, where they are.
fn real_data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("RETINAMARK_DATA").map_or_else(beside, PathBuf::from);
    if folder.join("annotations").is_dir() {
        return Some(folder);
    }
    println!("skipped: no data in {}", folder.display());
    None
}

#[test]
fn the_real_lists_load_and_share_no_photo() {
    let Some(folder) = real_data() else { return };
    let list = |name: &str| folder.join("annotations").join(name);
    let images = folder.join("images");
    let mut train = source(SourceKind::Wflw, &list("wflw98_train.txt"), &images);
    train.wider = Some(list("wider_train_bbx_gt.txt"));
    train.disagreement = Some(list("wflw98_train_disagreement.txt"));
    let mut val = source(SourceKind::Wflw, &list("wflw98_val.txt"), &images);
    val.wider = Some(list("wider_val_bbx_gt.txt"));
    let wider = source(SourceKind::Wider, &list("wider_train_bbx_gt.txt"), &images);

    let points = |set: &Dataset| {
        let faces = set.samples.iter().flat_map(|s| &s.faces);
        faces.filter(|f| f.has_landmarks()).count()
    };
    let train = Dataset::load(&[train, wider.clone()], &Config::default()).unwrap();
    let val = load(&val).unwrap();
    println!("{}{}", train.report, val.report);
    assert_eq!((points(&train), points(&val)), (4987, 281));
    assert_eq!(load(&wider).unwrap().samples.len(), 3249);
    // 2,008 photos of 300-W, which no WIDER list names, and the 3,249.
    assert_eq!(train.samples.len(), 3249 + 2008);
    assert_eq!(train.samples.iter().filter(|s| s.complete).count(), 3249);
    assert!(val.samples.iter().all(|s| s.complete));
    // Every face with points is found in the WIDER lists: none is counted twice.
    let faces = |set: &Dataset| set.samples.iter().map(|s| s.faces.len()).sum::<usize>();
    assert_eq!(faces(&train), 37_835 + 2008);
    refuse_overlap(&train, &val).unwrap();
}
