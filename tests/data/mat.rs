//! MATLAB files of points, good and bad.

use std::path::Path;

use retinamark::config::{SchemeName, SourceConfig, SourceKind};
use retinamark::data::{Dataset, Reason};
use retinamark::geometry::{BoxXyxy, HeadPose};

use super::files::with_scheme;
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
