//! 300-W `.pts` files, good and bad.

use std::fmt::Write as _;
use std::path::Path;

use retinamark::config::SourceKind;
use retinamark::geometry::BoxXyxy;

use super::{Folder, load, source};

/// A `.pts` text whose point `i`, counted from 0, lies at `[i, 2 i]` of the photo.
fn pts_text(points: usize) -> String {
    let mut text = format!("version: 1\nn_points: {points}\n{{\n");
    for i in 0..points {
        writeln!(text, "{i}.5 {}.5", 2 * i).unwrap();
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
    assert_eq!(face.landmarks.labelled().count(), 68);
    // 300-W point 36, the outer corner of an eye, is WFLW point 60.
    assert_eq!(face.landmarks.labelled_at(60), Some([36.0, 72.0]));
    for other in [62, 96] {
        let point = face.landmarks.labelled_at(other);
        assert_eq!(point, None, "no such 300-W point");
    }
    assert!(!set.samples[0].complete);
    assert_eq!(set.samples[1].faces[0].landmarks.labelled().count(), 98);

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
        (good.replace("\n0.5 0.5\n", "\n1 1 1\n"), 4, "3 numbers"),
        (good.replace("\n0.5 0.5\n", "\n1 nan\n"), 4, "not a finite"),
        (
            good.replace("\n0.5 0.5\n", "\n"),
            2,
            "67 points, but n_points says 68",
        ),
        (good.replace('}', ""), 72, "`}`"),
        (pts_text(29), 0, "29 points"),
        (String::new(), 1, "the file ends"),
    ];
    for (text, line, words) in cases {
        let folder = Folder::new(&["a.png"]);
        let file = folder.write("a.pts", &text);
        let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
        let error = format!("{:#}", load(&list).unwrap_err());
        let place = match line {
            0 => format!("{}: ", file.display()),
            line => format!("{}:{line}: ", file.display()),
        };
        assert!(error.contains(&place), "no `{place}` in `{error}`");
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
    let folder = Folder::new(&[]);
    folder.write("a.pts", &good);
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let error = format!("{:#}", load(&list).unwrap_err());
    assert!(error.contains("a.pts: no photo"), "{error}");
}
