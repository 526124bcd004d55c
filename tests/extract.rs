//! `retinamark extract` with the shipped weights on the sample photos, whose labels are what the same
//! weights find there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use burn::tensor::Device;
use retinamark::config::{Config, SourceKind, Task};
use retinamark::data::{Dataset, FaceLabel, wflw_line};
use retinamark::imaging::{self, Limits};
use retinamark::infer::{Around, DetectOptions, Predictor};
use retinamark::metrics::alignment::{nme, normaliser};
use retinamark::model::weights;

use crate::data::{load, source};
use crate::support::tempdir;

fn shipped() -> Predictor {
    Predictor::load(&weights::find(None).unwrap(), &Device::flex()).unwrap()
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample")
}

/// A WFLW list of what `predictor` finds, and how many faces that are.
fn list(predictor: &Predictor, path: &Path) -> usize {
    let mut text = String::new();
    for name in [
        "astronaut.png",
        "biden.jpg",
        "obama.jpg",
        "obama_speech.jpg",
    ] {
        let photo = imaging::load_rgb(&sample().join(name), &Limits::default()).unwrap();
        let options = DetectOptions::from(&predictor.config().detect);
        for face in predictor.detect(&photo, &options).unwrap() {
            let attributes = [false, true, false, false, false, false];
            text += &wflw_line(&face.landmarks, &face.box_xyxy, attributes, name);
        }
    }
    std::fs::write(path, &text).unwrap();
    text.lines().count()
}

fn extract(list: &Path, out: &Path, more: &[&str]) -> Output {
    let data = format!("wflw:{}:{}", list.display(), sample().display());
    Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .current_dir(out.parent().unwrap())
        .args([
            "extract",
            "--data",
            &data,
            "--split",
            "0.5",
            "--save",
            "npts,cpts",
        ])
        .args(["--rotation", "25", "--jitter", "0.05", "--out"])
        .arg(out)
        .args(more)
        .output()
        .unwrap()
}

/// The photos, by number, that the lines of a list come from.
fn photos(list: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(list).unwrap();
    let number = |line: &str| line.split(['/', '_']).nth(1).unwrap().to_owned();
    text.lines().map(number).collect()
}

#[test]
fn crops_are_cut_where_faces_are_and_can_be_trained_on() {
    let predictor = shipped();
    let dir = tempdir();
    let (labels, out) = (dir.path().join("labels.txt"), dir.path().join("crops"));
    let faces = list(&predictor, &labels);
    let output = extract(&labels, &out, &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(
        said.contains(&format!("4 photos: {faces} faces found, 0 missed")),
        "{said}"
    );

    let lists = ["train.txt", "val.txt"].map(|name| out.join(name));
    let [train, validation] = [&lists[0], &lists[1]].map(|list| photos(list));
    assert!(train.is_disjoint(&validation) && train.len() == 2 && validation.len() == 2);
    let mut cut = 0;
    for list in &lists {
        let set = load(&source(SourceKind::Crops, list, Path::new(""))).unwrap();
        for (index, sample) in set.samples.iter().enumerate() {
            let face = &sample.faces[0];
            assert_eq!(
                face.attributes,
                Some([false, true, false, false, false, false])
            );
            assert!(
                seen_there(&predictor, &set, index, face) < 0.15,
                "{}",
                sample.name
            );
        }
        cut += set.samples.len();
        for line in std::fs::read_to_string(list).unwrap().lines() {
            assert!(out.join(line).with_extension("cpts").is_file());
        }
    }
    assert_eq!(cut, faces);

    let mut config = Config {
        task: Task::Align,
        ..Config::default()
    };
    config.data.train = vec![source(SourceKind::Crops, &lists[0], Path::new(""))];
    let set = Dataset::load_training(&config)
        .unwrap()
        .for_training(&config)
        .unwrap();
    assert!(!set.samples.is_empty());
}

/// The error of what the detector and the aligner see on a crop against its label.
fn seen_there(predictor: &Predictor, set: &Dataset, index: usize, face: &FaceLabel) -> f64 {
    let picture = set.decode(index).unwrap();
    let seen = predictor
        .align(&picture, &[face.box_xyxy], Around::Landmarks)
        .unwrap()
        .remove(0)
        .unwrap();
    let eyes = normaliser(face, predictor.scheme().normalise()).unwrap();
    nme(face, &seen.landmarks, eyes).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_crops_and_lists_are_not_replaced_unasked() {
    let predictor = shipped();
    let dir = tempdir();
    let labels = dir.path().join("labels.txt");
    list(&predictor, &labels);
    let read = |out: &Path| {
        let entries = walkdir::WalkDir::new(out)
            .sort_by_file_name()
            .into_iter()
            .flatten();
        let files = entries.filter(|entry| entry.file_type().is_file());
        let named = files.map(|entry| {
            let name = entry.path().strip_prefix(out).unwrap().to_owned();
            (name, std::fs::read(entry.path()).unwrap())
        });
        named.collect::<Vec<_>>()
    };
    let [a, b, c] = ["a", "b", "c"].map(|name| dir.path().join(name));
    for (out, more) in [(&a, &[][..]), (&b, &[]), (&c, &["--seed", "1"])] {
        assert!(extract(&labels, out, more).status.success());
    }
    assert!(read(&a) == read(&b) && read(&a) != read(&c));
    let again = extract(&labels, &a, &[]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && said.contains("exists already"),
        "{said}"
    );
    assert!(extract(&labels, &a, &["--force"]).status.success());
    let of_68 = dir.path().join("of_68");
    let scheme = ["--set", "landmarks.scheme=ibug68"];
    assert!(extract(&labels, &of_68, &scheme).status.success());
    let files = read(&of_68);
    let points = files
        .iter()
        .filter(|(name, _)| name.extension().is_some_and(|e| e == "npts"));
    let mut counts =
        points.map(|(_, bytes)| String::from_utf8_lossy(bytes).contains("n_points: 68\n"));
    assert!(counts.clone().count() > 0 && counts.all(|is_68| is_68));
    // Nothing is that sure.
    let none = extract(&labels, &dir.path().join("d"), &["--score", "1"]);
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(
        !none.status.success() && said.contains("no crop was written"),
        "{said}"
    );
}
