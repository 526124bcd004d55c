//! Formats with a file of labels for each photo: LaPa, YOLO, 300-VW, crops.

use std::fmt::Write as _;
use std::path::Path;

use image::RgbImage;
use retinamark::config::{Config, SchemeName, SourceKind};
use retinamark::data::{CropRange, Dataset, FaceLabel, crop_text};
use retinamark::geometry::{BoxXyxy, HeadPose, Landmarks};

use super::{Folder, load, load_skipping, source};

pub(super) fn with_scheme(name: SchemeName) -> Config {
    let mut config = Config::default();
    config.landmarks.scheme = name;
    config
}

#[test]
fn photos_may_lie_in_a_folder_of_their_own() {
    let folder = Folder::new(&["images/a.png", "images/sub/b.png"]);
    std::fs::create_dir_all(folder.path("labels/sub")).unwrap();
    folder.write("labels/a.txt", &lapa_text(106));
    folder.write("labels/sub/b.txt", &lapa_text(106));
    let list = |list: &Path| source(SourceKind::Lapa, list, &folder.path("images"));
    let set = load(&list(&folder.path("labels"))).unwrap();
    let names: Vec<&str> = set.samples.iter().map(|s| &*s.name).collect();
    assert_eq!(names, ["a.png", "sub/b.png"]);
    assert_eq!(
        load(&list(&folder.path("labels/s*/*.txt")))
            .unwrap()
            .samples
            .len(),
        1
    );
    folder.write("labels/c.txt", &lapa_text(106));
    let error = load(&list(&folder.path("labels"))).unwrap_err().to_string();
    assert!(
        error.contains("c.txt: no photo c (jpg, png, ...) in "),
        "{error}"
    );
}

/// Point `i`, from 0, at `[10 + i % 10, 20 + i / 10]`.
fn lapa_text(points: usize) -> String {
    let mut text = format!("{points}\n");
    for i in 0..points {
        writeln!(text, "{} {}.5", 10 + i % 10, 20 + i / 10).unwrap();
    }
    text
}

#[test]
fn lapa_points_have_their_scheme_and_serve_others() {
    let folder = Folder::new(&["a.png"]);
    folder.write("a.txt", &lapa_text(106));
    let list = source(SourceKind::Lapa, folder.dir.path(), Path::new(""));
    let face = |scheme| {
        let set = Dataset::load(std::slice::from_ref(&list), &with_scheme(scheme)).unwrap();
        set.samples[0].faces[0].clone()
    };
    let own = face(SchemeName::Lapa106);
    assert_eq!(own.landmarks.labelled_at(84), Some([14.0, 28.5]));
    assert_eq!(
        (own.landmarks.labelled().count(), own.box_xyxy.x1),
        (106, 10.0)
    );
    let wflw = face(SchemeName::Wflw98);
    assert_eq!(
        wflw.landmarks.labelled_at(76),
        own.landmarks.labelled_at(84)
    );
    // The contour has no twins.
    assert_eq!(wflw.landmarks.labelled_at(16), None);
    assert_eq!(face(SchemeName::Five).landmarks.labelled().count(), 5);
    for (text, words) in [
        (
            lapa_text(106).replacen("106", "105", 1),
            "a.txt:1: 106 points, but the first line says 105",
        ),
        (lapa_text(29), "a.txt: 29 points; "),
        (
            lapa_text(106).replacen("10 20.5", "10 nan", 1),
            "a.txt:2: `nan`",
        ),
        (
            lapa_text(106).replacen("10 20.5", "10", 1),
            "a.txt:2: 1 numbers",
        ),
        ("many\n1 2\n".into(), "a.txt:1: `many`"),
        (String::new(), "a.txt: the file is empty"),
    ] {
        folder.write("a.txt", &text);
        let error = load(&list).unwrap_err().to_string();
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
}

#[test]
fn yolo_labels_are_shares_of_the_photo() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let list = source(SourceKind::Yolo, folder.dir.path(), Path::new(""));
    let config = with_scheme(SchemeName::Five);
    let face = "0 0.5 0.5 0.25 0.5";
    let three = "0.4 0.4 2 0.6 0.4 1 0 0 0 0.45 0.6 2 0.55 0.6 2";
    let two = "0.4 0.4 0.6 0.4 -1 -1 0.45 0.6 0.55 0.6";
    folder.write("a.txt", &format!("{face} {three}\n{face}\n1 0.1 0.1 0 0\n"));
    folder.write("b.txt", "");
    let set = Dataset::load(std::slice::from_ref(&list), &config).unwrap();
    let [a, b] = set.samples.as_slice() else {
        panic!("two photos")
    };
    assert!(a.complete && b.complete && b.faces.is_empty());
    // The second one is the first again; the third has no size.
    assert_eq!(a.faces.len(), 2);
    assert_eq!(a.faces[0].box_xyxy, BoxXyxy::new(45.0, 25.0, 75.0, 75.0));
    assert_eq!(a.faces[0].landmarks.labelled_at(1), Some([72.0, 40.0]));
    assert_eq!(a.faces[0].landmarks.labelled_at(2), None);
    assert!(a.faces[1].ignored);
    let points = a.faces[0].landmarks.labelled().collect::<Vec<_>>();
    folder.write("a.txt", &format!("{face} {two}\n"));
    let set = Dataset::load(std::slice::from_ref(&list), &config).unwrap();
    assert!(set.samples[0].faces[0].landmarks.labelled().eq(points));
    for (text, words) in [
        ("0 0.5 0.5 0.25", "a.txt:2: 4 numbers"),
        ("0 0.5 0.5 0.25 0.4 0.1", "a.txt:2: 6 numbers"),
        ("0 0.5 0.5 0.25 0.4 0.1 0.1", "a.txt:2: 1 points"),
        ("0 0.5 nan 0.25 0.4", "a.txt:2: `nan`"),
        ("0 60 50 30 40", "a.txt:2: the box"),
    ] {
        folder.write("a.txt", &format!("{face}\n{text}\n"));
        let error = Dataset::load(std::slice::from_ref(&list), &config)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
}

#[test]
fn frames_of_a_video_are_found_or_it_is_said_how_to_make_them() {
    let folder = Folder::new(&["001/frames/000001.png", "002/000001.png"]);
    for video in ["001", "002", "003"] {
        std::fs::create_dir_all(folder.path(video).join("annot")).unwrap();
        let mut text = String::from("version: 1\nn_points: 68\n{\n");
        (0..68).for_each(|i| writeln!(text, "{} {}", 20 + i % 10, 20 + i / 10).unwrap());
        folder.write(&format!("{video}/annot/000001.pts"), &(text + "}\n"));
    }
    folder.write("003/vid.avi", "");
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let set = load_skipping(&list).unwrap();
    let names: Vec<&str> = set.samples.iter().map(|s| &*s.name).collect();
    assert_eq!(names, ["001/frames/000001.png", "002/000001.png"]);
    let report = set.report.to_string();
    for words in [
        "003/annot/000001.pts: no frame 000001",
        "ffmpeg -i '",
        "vid.avi' -q:v 2 '",
    ] {
        assert!(report.contains(words), "no `{words}` in {report}");
    }
}

#[test]
fn crops_come_back_as_they_were_written() {
    let folder = Folder::new(&[]);
    RgbImage::new(64, 64).save(folder.path("a.png")).unwrap();
    let points = (0..98).map(|i| ([i as f32 * 0.5 - 4.0, 40.25], i % 3 != 0));
    let face = FaceLabel {
        landmarks: points.collect::<Landmarks>(),
        attributes: Some([false, true, false, false, true, false]),
        pose: Some(HeadPose {
            pitch: 0.25,
            yaw: -0.5,
            roll: 0.125,
        }),
        ..FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 64.0, 64.0))
    };
    for range in [CropRange::Unit, CropRange::Centred] {
        let file = folder.write(
            &format!("a.{}", range.ending()),
            &crop_text(&face, 64.0, range),
        );
        let list = folder.write("list", &format!("a.{}\n", range.ending()));
        for list in [&list, &file] {
            let set = load(&source(SourceKind::Crops, list, Path::new(""))).unwrap();
            let read = &set.samples[0].faces[0];
            assert_eq!((read.attributes, read.pose), (face.attributes, face.pose));
            for (a, b) in read.landmarks.iter().zip(face.landmarks.iter()) {
                assert_eq!(a.labelled, b.labelled);
                let near = |axis: usize| (a.at[axis] - b.at[axis]).abs() < 1e-3;
                assert!(!a.labelled || near(0) && near(1), "{a:?} {b:?}");
            }
        }
        std::fs::remove_file(file).unwrap();
    }
    let text = crop_text(&face, 64.0, CropRange::Unit);
    for (bad, words) in [
        (
            text.replace("0 1 0 0 1 0", "0 1 0 0 1"),
            "a.npts:3: 5 numbers instead of 6 attributes",
        ),
        (
            text.replace("0 1 0 0 1 0", "0 2 0 0 1 0"),
            "a.npts:3: attribute `2`",
        ),
        (
            text.replace("pose: ", "pose: 1 "),
            "a.npts:4: 4 numbers instead of pitch",
        ),
        (text.replace("pose: ", "size: "), "a.npts:4: `size: "),
        (text.replacen("nan nan", "nan 1", 1), "a.npts:6: `nan`"),
    ] {
        folder.write("a.npts", &bad);
        let one = source(SourceKind::Crops, &folder.path("a.npts"), Path::new(""));
        let error = load(&one).unwrap_err().to_string();
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
}
