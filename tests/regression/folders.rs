//! `detect` on people's folders, with people's settings.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use retinamark::fs::FolderLock;
use serde_json::Value;

use crate::detect::{picture, random_weights};
use crate::support::tempdir;

/// `retinamark detect` in `folder`, with a network of random weights.
fn detect(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
    command.current_dir(folder).arg("detect").args(args);
    command
        .arg("--weights")
        .arg(random_weights())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
}

fn record(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("out/detections.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn faces(folder: &Path) -> Vec<usize> {
    let count = |line: &Value| line["faces"].as_array().unwrap().len();
    record(folder).iter().map(count).collect()
}

const SMALL: [&str; 5] = ["in", "--out", "out", "--size", "64"];

/// A folder of phone photos: the HEIC ones were passed over in silence, and macOS's `._*` files were
/// failures.
#[test]
fn every_file_of_a_folder_is_accounted_for() {
    let dir = tempdir();
    let photos = dir.path().join("in");
    fs::create_dir_all(photos.join("sub")).unwrap();
    for name in ["a.jpg", "b.JPE", "c.jfif"] {
        let path = photos.join(name);
        picture(60, 40, 1)
            .save_with_format(path, image::ImageFormat::Jpeg)
            .unwrap();
    }
    for name in ["d.HEIC", "e.heic", "f.avif", "._a.jpg", "notes.txt"] {
        fs::write(photos.join(name), "x").unwrap();
    }
    let output = detect(dir.path(), &SMALL);
    assert_code(&output, 0);
    let words = text(&output.stdout);
    for part in [
        "3 photos",
        "1 .avif, 2 .heic",
        "1 ._* file ",
        "1 other file (1 .txt)",
        "1 folder ",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    // Where nothing can be read, the reason is told as well.
    let dir = tempdir();
    fs::write(dir.path().join("a.heic"), "x").unwrap();
    let output = detect(dir.path(), &["."]);
    assert_code(&output, 2);
    assert!(
        text(&output.stderr).contains("1 .heic"),
        "{}",
        text(&output.stderr)
    );
}

/// A HEIC photo given by name was "not an image".
#[test]
fn a_photo_of_a_kind_that_cannot_be_read_says_what_to_do() {
    let dir = tempdir();
    let mut bytes = vec![0, 0, 0, 24];
    bytes.extend(b"ftypheic\0\0\0\0mif1heic");
    fs::write(dir.path().join("a.heic"), bytes).unwrap();
    let output = detect(dir.path(), &["a.heic"]);
    assert_code(&output, 1);
    let words = text(&output.stderr);
    assert!(
        words.contains("HEIC") && words.contains("convert"),
        "{words}"
    );
}

/// `--resume` with another `--score` gave a record of which nobody could say how it was made.
#[test]
fn results_of_other_settings_are_not_mixed() {
    let dir = tempdir();
    fs::create_dir(dir.path().join("in")).unwrap();
    picture(60, 40, 1)
        .save(dir.path().join("in/a.png"))
        .unwrap();
    let with = |more: &[&str]| {
        let args = [&SMALL, &["--save", "jsonl"][..], more].concat();
        detect(dir.path(), &args)
    };
    assert_code(&with(&["--score", "0.1"]), 0);
    picture(60, 40, 2)
        .save(dir.path().join("in/b.png"))
        .unwrap();
    let before = fs::read(dir.path().join("out/detections.jsonl")).unwrap();
    for other in [
        &["--score", "0.9"][..],
        &["--score", "0.1", "--nms", "0.7"],
        &["--score", "0.1", "--max-faces", "1"],
        &["--score", "0.1", "--set", "detect.landmark_votes=1"],
    ] {
        let output = with(&[other, &["--resume"]].concat());
        assert_code(&output, 2);
        let words = text(&output.stderr);
        assert!(
            words.contains("other settings") && words.contains(" was "),
            "{words}"
        );
        assert_eq!(
            fs::read(dir.path().join("out/detections.jsonl")).unwrap(),
            before
        );
    }
    // What does not change results may differ: more kinds of them, more photos at a time.
    let output = with(&["--score", "0.1", "--resume", "--jobs", "1"]);
    assert_code(&output, 0);
    assert_eq!(record(dir.path()).len(), 2);
    // Where it is not known how they were made, that is told.
    fs::remove_file(dir.path().join("out/.detections.made")).unwrap();
    let output = with(&["--score", "0.1", "--resume"]);
    assert_code(&output, 2);
    assert!(
        text(&output.stderr).contains("--force"),
        "{}",
        text(&output.stderr)
    );
}

/// A photo that was edited after the first call kept the faces of the old one.
#[test]
fn a_changed_photo_is_looked_at_again() {
    let dir = tempdir();
    let photo = dir.path().join("in/a.png");
    fs::create_dir(dir.path().join("in")).unwrap();
    picture(60, 40, 1).save(&photo).unwrap();
    picture(60, 40, 2)
        .save(dir.path().join("in/b.png"))
        .unwrap();
    let args = [
        &SMALL,
        &[
            "--save",
            "jsonl,pts",
            "--score",
            "0",
            "--max-faces",
            "2",
            "--resume",
        ][..],
    ];
    assert_code(&detect(dir.path(), &args.concat()), 0);
    assert!(dir.path().join("out/a.png.face1.pts").exists());
    picture(50, 70, 3).save(&photo).unwrap();
    let output = detect(dir.path(), &args.concat());
    assert_code(&output, 0);
    let words = text(&output.stdout);
    assert!(
        words.contains("1 photos") && words.contains("1 done again"),
        "{words}"
    );
    assert_eq!(record(dir.path())[0]["width"], 50);
    // Now it cannot be read: its old faces are not kept either.
    fs::write(&photo, "no photo").unwrap();
    assert_code(&detect(dir.path(), &args.concat()), 1);
    assert_eq!(record(dir.path()).len(), 1);
    assert!(!dir.path().join("out/a.png.face1.pts").exists());
}

/// `detect` never read `config.yaml`, whatever README said.
#[test]
fn one_rule_says_which_setting_wins() {
    let dir = tempdir();
    fs::create_dir(dir.path().join("in")).unwrap();
    picture(60, 40, 1)
        .save(dir.path().join("in/a.png"))
        .unwrap();
    let found = |more: &[&str]| {
        let args = [&SMALL, &["--save", "jsonl", "--force"][..], more].concat();
        let output = detect(dir.path(), &args);
        assert_code(&output, 0);
        (faces(dir.path())[0], text(&output.stderr))
    };
    let write = |name: &str, faces: u32| {
        let text = format!(
            "detect: {{score: 0, max_faces: {faces}}}\nmodel: {{neck_channels: 8, se_reduction: 2}}\n"
        );
        fs::write(dir.path().join(name), text).unwrap();
    };
    assert_eq!(found(&["--score", "0", "--max-faces", "2"]).0, 2);
    write("config.yaml", 3);
    let (count, words) = found(&[]);
    assert_eq!(count, 3);
    assert!(words.contains("detect.max_faces: 750 -> 3"), "{words}");
    write("other.yaml", 4);
    assert_eq!(found(&["--config", "other.yaml"]).0, 4);
    assert_eq!(
        found(&["--config", "other.yaml", "--set", "detect.max_faces=5"]).0,
        5
    );
    assert_eq!(
        found(&["--set", "detect.max_faces=5", "--max-faces", "6"]).0,
        6
    );
    // The same number in a file overrules nothing.
    fs::write(dir.path().join("config.yaml"), "detect: {nms_iou: 0.4}").unwrap();
    assert!(!found(&[]).1.contains("overrules"), "{}", found(&[]).1);
    for (set, part) in [
        ("detect.sizes=3", "unknown field"),
        (
            "model.neck_channels=8",
            "what a network is comes with its weights",
        ),
    ] {
        let output = detect(dir.path(), &[&SMALL, &["--set", set][..]].concat());
        assert_code(&output, 2);
        assert!(
            text(&output.stderr).contains(part),
            "{}",
            text(&output.stderr)
        );
    }
    fs::write(dir.path().join("config.yaml"), "detect: {scores: 0.3}").unwrap();
    let output = detect(dir.path(), &SMALL);
    assert_code(&output, 2);
    assert!(
        text(&output.stderr).contains("scores"),
        "{}",
        text(&output.stderr)
    );
}

/// One photo on stdin had to go through a file.
#[test]
fn a_photo_on_stdin_gives_its_line_on_stdout() {
    let dir = tempdir();
    picture(60, 40, 1).save(dir.path().join("a.png")).unwrap();
    let bytes = fs::read(dir.path().join("a.png")).unwrap();
    let pipe = |bytes: &[u8], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
        command
            .current_dir(dir.path())
            .args(["detect", "-", "--size", "64"])
            .args(args);
        command.arg("--weights").arg(random_weights());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Wrong usage does not read it.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        child.wait_with_output().unwrap()
    };
    let output = pipe(&bytes, &["--score", "0", "--max-faces", "2"]);
    assert_code(&output, 0);
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["image"], &line["width"]), (&"-".into(), &60.into()));
    assert_eq!(line["faces"].as_array().unwrap().len(), 2);
    let broken = pipe(&bytes[..100], &[]);
    assert_code(&broken, 1);
    assert!(broken.stdout.is_empty() && text(&broken.stderr).contains("stdin"));
    assert_code(&pipe(&bytes, &["--out", "x"]), 2);
    assert_code(&pipe(&bytes, &["a.png"]), 2);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// Two calls into one folder mixed their lines.
#[test]
fn a_folder_of_results_has_one_writer_at_a_time() {
    let dir = tempdir();
    fs::create_dir(dir.path().join("in")).unwrap();
    picture(60, 40, 1)
        .save(dir.path().join("in/a.png"))
        .unwrap();
    let lock = FolderLock::take(&dir.path().join("out")).unwrap();
    for more in [&[][..], &["--resume"], &["--force"]] {
        let output = detect(dir.path(), &[&SMALL, more].concat());
        assert_code(&output, 2);
        let owner = format!("in use by process {}", std::process::id());
        assert!(
            text(&output.stderr).contains(&owner),
            "{}",
            text(&output.stderr)
        );
    }
    drop(lock);
    assert_code(&detect(dir.path(), &SMALL), 0);
}

/// A panorama of 20,000 pixels, looked at with 640, showed no face and no reason.
#[test]
fn a_photo_that_was_shrunk_a_lot_is_mentioned() {
    let dir = tempdir();
    fs::create_dir(dir.path().join("in")).unwrap();
    picture(2000, 100, 1)
        .save(dir.path().join("in/pano.png"))
        .unwrap();
    let output = detect(dir.path(), &[&SMALL, &["--score", "1"][..]].concat());
    assert_code(&output, 0);
    let words = text(&output.stdout);
    assert!(
        words.contains("pano.png 31 times") && words.contains("500 pixels"),
        "{words}"
    );
}
