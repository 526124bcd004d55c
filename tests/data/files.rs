//! Formats with a file of labels for each photo: MATLAB, LaPa, YOLO, crops; and COCO lists.

use std::fmt::Write as _;
use std::path::Path;

use image::RgbImage;
use retinamark::config::{Config, SchemeName, SourceConfig, SourceKind};
use retinamark::data::{CropRange, Dataset, FaceLabel, Reason, crop_text};
use retinamark::geometry::{BoxXyxy, HeadPose, Landmarks};

use super::{Folder, load, load_skipping, source};
use crate::support::fixture;

/// Files of `tests/data/labels` in a folder, each with a photo of the given name.
fn mat_folder(files: &[(&str, &str)]) -> (Folder, SourceConfig) {
    let photos: Vec<&str> = files.iter().map(|f| f.1).collect();
    let folder = Folder::new(&photos);
    for (name, _) in files {
        std::fs::copy(fixture("labels").join(name), folder.path(name)).unwrap();
    }
    let source = source(SourceKind::Mat, folder.dir.path(), Path::new(""));
    (folder, source)
}

fn with_scheme(name: SchemeName) -> Config {
    let mut config = Config::default();
    config.landmarks.scheme = name;
    config
}

#[test]
fn matlab_files_give_points_and_poses() {
    let (_folder, source) = mat_folder(&[
        ("1_points.mat", "1.png"),
        ("300w_lp.mat", "300w_lp.png"),
        ("aflw2000.mat", "aflw2000.png"),
        ("large_other.mat", "large_other.png"),
    ]);
    let config = with_scheme(SchemeName::Ibug68);
    let set = Dataset::load(std::slice::from_ref(&source), &config).unwrap();
    assert_eq!(set.samples.len(), 4);
    let pose = HeadPose {
        pitch: 0.25,
        yaw: -0.5,
        roll: 0.125,
    };
    for (sample, pose) in set.samples.iter().zip([None, Some(pose), Some(pose), None]) {
        let [face] = sample.faces.as_slice() else {
            panic!("one face")
        };
        // MATLAB's (21.5, 15.5), half a pixel less.
        assert_eq!(
            face.landmarks.labelled_at(0),
            Some([21.0, 15.0]),
            "{}",
            sample.name
        );
        assert_eq!(face.landmarks.labelled_at(67), Some([56.0, 63.0]));
        assert_eq!(face.box_xyxy, BoxXyxy::new(21.0, 15.0, 66.0, 63.0));
        assert_eq!((face.pose, sample.complete), (pose, false));
    }
    // The points serve the 98 as those of 300-W do.
    let set = load(&source).unwrap();
    let face = &set.samples[0].faces[0];
    assert_eq!(
        (face.landmarks.len(), face.landmarks.labelled().count()),
        (98, 68)
    );
}

#[test]
fn bad_matlab_files_are_named_and_the_rest_goes_on() {
    let names = [
        "300w_lp",
        "no_points",
        "nan",
        "shape",
        "text",
        "bomb",
        "cut",
        "zlib",
        "hdf5",
        "empty",
    ];
    let photos: Vec<String> = names.iter().map(|n| format!("{n}.png")).collect();
    let folder = Folder::new(&photos.iter().map(String::as_str).collect::<Vec<_>>());
    let read = |name: &str| std::fs::read(fixture("labels").join(format!("{name}.mat"))).unwrap();
    let good = read("300w_lp");
    for name in names {
        let bytes = match name {
            "cut" => good[..200].to_vec(),
            "zlib" => {
                let mut bytes = good.clone();
                bytes[150] ^= 0xff;
                bytes
            }
            "hdf5" => [&good[..124], &[0, 2, b'I', b'M']].concat(),
            "empty" => Vec::new(),
            name => read(name),
        };
        std::fs::write(folder.path(&format!("{name}.mat")), bytes).unwrap();
    }
    let list = source(SourceKind::Mat, folder.dir.path(), Path::new(""));
    let set = load_skipping(&list).unwrap();
    assert_eq!(
        (set.samples.len(), &*set.samples[0].name),
        (1, "300w_lp.png")
    );
    assert_eq!(set.report.total(), 9, "{}", set.report);
    assert_eq!(set.report.count(Reason::NotFinite), 1);
    for (name, words) in [
        ("no_points", "neither `pt3d_68` nor `pt2d` nor `Points`"),
        ("nan", "`pt2d(2, 6)` is not a finite number"),
        ("shape", "`pt2d` is 6 x 7"),
        ("text", "`pt2d` is no matrix of real numbers"),
        ("bomb", "too large"),
        ("cut", "ends too early"),
        ("zlib", "cannot be inflated"),
        ("hdf5", "7.3"),
        ("empty", "too short"),
    ] {
        let file = folder.path(&format!("{name}.mat"));
        let one = source(SourceKind::Mat, &file, Path::new(""));
        let error = format!("{:#}", load(&one).unwrap_err());
        assert!(
            error.starts_with(&format!("{}: ", file.display())),
            "{error}"
        );
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
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
fn coco_lists_give_boxes_and_points() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let text = r#"{"info": {}, "categories": [{"id": 1, "name": "face"}],
        "images": [{"id": 7, "file_name": "a.png", "width": 120}, {"id": 9, "file_name": "b.png"}],
        "annotations": [
        {"id": 1, "image_id": 7, "bbox": [10, 10, 40, 50], "iscrowd": 0,
         "keypoints": [20, 25, 2, 40, 25, 1, 0, 0, 0, 22, 45, 2, 38, 45, 2]},
        {"id": 2, "image_id": 9, "keypoints": [20.25, 25, 2, 40, 25, 2, 30, 35, 2, 22, 45, 2, 38, 45, 2]},
        {"id": 3, "image_id": 9, "bbox": [60, 60, 10, 10], "iscrowd": 1}]}"#;
    let list = folder.source(SourceKind::Coco, text);
    let config = with_scheme(SchemeName::Five);
    let set = Dataset::load(std::slice::from_ref(&list), &config).unwrap();
    let [a, b] = set.samples.as_slice() else {
        panic!("two photos")
    };
    assert!(!a.complete && !b.complete);
    assert_eq!(a.faces[0].box_xyxy, BoxXyxy::new(10.0, 10.0, 50.0, 60.0));
    // Whole numbers are indices of pixels.
    assert_eq!(a.faces[0].landmarks.labelled_at(0), Some([20.5, 25.5]));
    assert_eq!(a.faces[0].landmarks.labelled_at(2), None);
    assert_eq!(b.faces[0].landmarks.labelled_at(1), Some([40.0, 25.0]));
    assert_eq!(b.faces[0].box_xyxy, BoxXyxy::new(20.25, 25.0, 40.0, 45.0));
    assert!(b.faces[1].ignored && b.faces[1].landmarks.is_empty());

    let face = |rest: &str| format!(r#"{{"image_id": 1, "bbox": [10, 10, 40, 50]{rest}}}"#);
    let list_of = |images: &str, faces: &str| {
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.png"}}{images}], "annotations": [{faces}]}}"#
        )
    };
    for (text, words) in [
        (
            list_of("", &face("").replace(": 1", ": 3")),
            "annotations[0]: its image_id",
        ),
        (
            list_of("", &face(r#", "keypoints": [1, 2]"#)),
            "annotations[0]: 2 numbers",
        ),
        (
            list_of("", &face(r#", "keypoints": [1, 2, 2]"#)),
            "annotations[0]: 1 points",
        ),
        (
            list_of("", &face(r#", "keypoints": [1e99, 2, 2]"#)),
            "annotations[0]: `keypoints`",
        ),
        (
            list_of("", &face(r#", "keypoints": [null, 2, 2]"#)),
            "annotations[0]: invalid type",
        ),
        (
            list_of("", r#"{"image_id": 1}"#),
            "annotations[0]: has neither",
        ),
        (
            list_of(r#", {"id": 1, "file_name": "b.png"}"#, ""),
            "images[1]: the id 1 stands twice",
        ),
        (
            list_of(r#", {"id": 2}"#, ""),
            "images[1]: missing field `file_name`",
        ),
        (
            list_of(r#", {"id": 2, "file_name": "gone.png"}"#, ""),
            "images[1]: photo",
        ),
        (
            list_of("", &face(r#", "keypoints": [NaN, 2, 2]"#)),
            "is no COCO list in JSON",
        ),
        ("[]".into(), "is no COCO list in JSON"),
    ] {
        let list = folder.source(SourceKind::Coco, &text);
        let error = format!("{:#}", Dataset::load(&[list], &config).unwrap_err());
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
    // A photo whose faces are not all known is left out, the others stay.
    let bad = face("") + ", " + &face(r#", "keypoints": [1, 2]"#);
    let text = list_of(r#", {"id": 2, "file_name": "b.png"}"#, &bad);
    let set = load_skipping(&folder.source(SourceKind::Coco, &text)).unwrap();
    assert_eq!((set.samples.len(), &*set.samples[0].name), (1, "b.png"));
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
