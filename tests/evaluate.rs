//! `retinamark evaluate` from the command line, on synthetic photos and untrained weights.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use burn::tensor::Device;
use retinamark::config::{Config, SchemeName};
use retinamark::model::{Network, RetinaFace, weights};
use retinamark::synth;
use serde_json::Value;

use crate::support::tempdir;

/// A folder with four synthetic photos and untrained weights of a scheme.
struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new(scheme: SchemeName) -> Self {
        let folder = tempdir();
        let options = synth::Options {
            photos: 5,
            size: 96,
            ..synth::Options::default()
        };
        synth::write(folder.path(), &options, &|| {}).unwrap();
        let mut config = Config::default();
        config.landmarks.scheme = scheme;
        let device = Device::flex();
        device.seed(1);
        let model = RetinaFace::new(&config, &device).unwrap();
        weights::save(&model, &config, &folder.path().join("w.safetensors")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, data: &str, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_retinamark"))
            .current_dir(self.folder.path())
            .args(["evaluate", "--weights", "w.safetensors", "--size", "96"])
            .args(["--out", "out", "--data", data])
            .args(more)
            .output()
            .expect("the program starts")
    }

    fn report(&self) -> Value {
        let text = std::fs::read_to_string(self.path("out/report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn assert_ok(output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}

fn size_of(path: &Path) -> (u32, u32) {
    let picture = image::open(path).unwrap();
    (picture.width(), picture.height())
}

#[test]
fn everything_is_written_and_threads_do_not_matter() {
    let set = Set::new(SchemeName::Wflw98);
    let output = set.run("wflw:train.txt:images", &["--jobs", "1", "--score", "0"]);
    assert_ok(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("NME joint") && text.contains("No AP"),
        "{text}"
    );
    let report = set.report();
    let lines = std::fs::read_to_string(set.path("train.txt")).unwrap();
    assert_eq!(report["alignment"]["faces"], lines.lines().count());
    assert_eq!(
        (&report["photos"], &report["ap"]),
        (&4.into(), &Value::Null)
    );
    let faces = std::fs::read_to_string(set.path("out/faces.csv")).unwrap();
    assert_eq!(faces.lines().count(), lines.lines().count() + 1);
    assert!(size_of(&set.path("out/best.jpg")).0 > 192);
    assert!(size_of(&set.path("out/worst.jpg")).1 > 192);
    let svg = std::fs::read_to_string(set.path("out/ced.svg")).unwrap();
    assert!(svg.starts_with("<svg"));
    assert_ok(&set.run("wflw:train.txt:images", &["--jobs", "2", "--score", "0"]));
    assert_eq!(set.report(), report);
}

#[test]
fn a_wider_list_gives_the_ap_alone_and_its_subsets() {
    let set = Set::new(SchemeName::Five);
    let list = "train/00000.jpg\n2\n10 10 30 30 0 0 0 0 0 0\n60 60 30 30 0 0 0 0 0 0\n";
    std::fs::write(set.path("wider.txt"), list).unwrap();
    let easy = "train/00000.jpg\n1\n10 10 30 30 0 0 0 0 0 0\n";
    std::fs::write(set.path("easy.txt"), easy).unwrap();
    assert_ok(&set.run("wider:wider.txt:images", &["--subset", "easy=easy.txt"]));
    let report = set.report();
    assert_eq!(report["alignment"], Value::Null);
    assert_eq!(report["ap"]["faces"], 2);
    assert_eq!(report["ap"]["subsets"][0]["name"], "easy");
    assert!(report["ap"]["subsets"][0]["ap"].is_number());
    assert!(!set.path("out/ced.svg").exists());
    // All faces are too small for 40 px.
    assert_ok(&set.run("wider:wider.txt:images", &["--min-face", "40"]));
    assert_eq!(set.report()["ap"], Value::Null);
}

#[test]
fn lists_that_cannot_be_used_are_named() {
    let set = Set::new(SchemeName::Wflw98);
    for (data, named) in [
        ("dlib:a:b", "--data dlib:a:b"),
        ("wflw:absent.txt:images", "absent.txt"),
    ] {
        let output = set.run(data, &[]);
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(named), "{text}");
    }
    std::fs::write(set.path("images/train/00001.jpg"), b"no photo").unwrap();
    assert!(!set.run("wflw:train.txt:images", &[]).status.success());
    assert_ok(&set.run("wflw:train.txt:images", &["--skip-errors"]));
    assert_eq!(set.report()["photos"], 3);
}
