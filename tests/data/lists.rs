//! WFLW, WIDER FACE and RetinaFace lists, good and bad.

use retinamark::config::{Config, SchemeName, SourceKind};
use retinamark::data::{Dataset, Reason};
use retinamark::geometry::BoxXyxy;

use super::{Folder, load, load_skipping, source, wflw_line};

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
        (face.landmarks.len(), face.landmarks.labelled_at(0)),
        (98, Some([60.0, 10.0]))
    );
    assert!(face.landmarks.iter().all(|p| p.labelled) && !face.ignored);
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
    assert_eq!(face(0, 0).landmarks.labelled_at(2), Some([30.0, 35.0]));
    assert!(!face(0, 1).has_landmarks() && face(0, 1).landmarks.is_empty());
    assert_eq!(face(1, 0).box_xyxy, BoxXyxy::new(1.0, 2.0, 4.0, 6.0));
    assert!(face(1, 1).ignored);
    let labelled = face(2, 0).landmarks.iter().map(|p| p.labelled);
    assert!(labelled.eq([true, false, true, true, true]));
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
