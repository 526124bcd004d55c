//! Runs of the program `retinamark detect` itself.

#[cfg(unix)]
mod unix;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::detect::{picture, random_weights};
use crate::support::tempdir;

/// `retinamark detect` in `folder`, with an untrained network that sees two faces in each photo.
fn detect(folder: &Path, size: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
    command
        .current_dir(folder)
        .args(["detect", "--score", "0", "--max-faces", "2", "--size", size])
        .arg("--weights")
        .arg(random_weights());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    detect(folder, "64").args(args).output().unwrap()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn save_photo(path: PathBuf, seed: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture(60, 40, seed).save(path).unwrap();
}

fn lines(out: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join("detections.jsonl")).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn images(out: &Path) -> Vec<String> {
    let name = |line: &Value| line["image"].as_str().unwrap().to_owned();
    lines(out).iter().map(name).collect()
}

/// Names of all files below `folder`, sorted, with `/`; but for the hidden one that resuming needs.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file() && entry.file_name() != ".detections.made")
        .map(|entry| {
            text(
                entry
                    .path()
                    .strip_prefix(folder)
                    .unwrap()
                    .as_os_str()
                    .as_encoded_bytes(),
            )
        })
        .collect();
    names.sort();
    names
}

#[test]
fn twenty_broken_files_among_fifty_do_not_stop_the_rest() {
    let dir = tempdir();
    let photos = dir.path().join("photos");
    for i in 0..30 {
        let ending = ["jpg", "png", "bmp", "gif", "tiff", "webp"][i % 6];
        save_photo(photos.join(format!("good{i:02}.{ending}")), i as u32);
    }
    let whole = std::fs::read(photos.join("good00.jpg")).unwrap();
    let png = std::fs::read(photos.join("good01.png")).unwrap();
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
    for i in 0..5 {
        let write = |name: String, bytes: &[u8]| std::fs::write(photos.join(name), bytes).unwrap();
        write(format!("bad{i}_empty.jpg"), b"");
        write(format!("bad{i}_text.png"), b"this is not a picture");
        write(format!("bad{i}_cut.png"), &png[..40 + i]);
        write(format!("bad{i}_bomb.png"), &bomb);
    }
    assert!(whole.len() > 100);
    std::fs::write(photos.join("notes.txt"), "not looked at").unwrap();
    let output = run(dir.path(), &["photos", "--out", "out"]);
    assert_code(&output, 1);
    let out = dir.path().join("out");
    let images = images(&out);
    assert_eq!(images.len(), 30);
    assert!(images.is_sorted() && images[0] == "good00.jpg");
    assert_eq!(files(&out).len(), 31);
    let errors = text(&output.stderr);
    let failed: Vec<&str> = errors
        .lines()
        .filter(|l| l.starts_with("failed: "))
        .collect();
    assert_eq!(failed.len(), 20, "{errors}");
    assert!(failed.iter().all(|line| line.contains("bad")), "{errors}");
    let summary = text(&output.stdout);
    assert!(
        summary.starts_with("30 photos, 60 faces, 20 failed, 0 skipped, "),
        "{summary}"
    );
    let lines: Vec<&str> = summary.lines().collect();
    assert!(lines[0].ends_with("images/s"), "{summary}");
    assert_eq!(lines[1..], ["not read: 1 other file (1 .txt)"]);
}

#[test]
fn lines_have_the_documented_fields() {
    let dir = tempdir();
    save_photo(dir.path().join("a.png"), 1);
    assert_code(&run(dir.path(), &["a.png"]), 0);
    let lines = lines(&dir.path().join("detections"));
    let line = lines[0].as_object().unwrap();
    let mut keys: Vec<&String> = line.keys().collect();
    keys.sort();
    assert_eq!(keys, ["faces", "height", "image", "width"]);
    assert_eq!((&line["width"], &line["height"]), (&60.into(), &40.into()));
    assert_eq!(line["image"], "a.png");
    for face in line["faces"].as_array().unwrap() {
        assert_eq!(face["box"].as_array().unwrap().len(), 4);
        assert!((0.0..=1.0).contains(&face["score"].as_f64().unwrap()));
        let points = face["landmarks"].as_array().unwrap();
        assert_eq!(points.len(), 98);
        assert!(points.iter().all(|p| p.as_array().unwrap().len() == 2));
        assert!(face.get("landmark_scores").is_none());
    }
}

#[test]
fn all_kinds_of_results_are_written_where_documented() {
    let dir = tempdir();
    save_photo(dir.path().join("in/sub/a.jpg"), 1);
    let args = [
        "in",
        "-r",
        "--out",
        "out",
        "--save",
        "jsonl,csv,pts,image,crop",
    ];
    assert_code(
        &run(dir.path(), &[&args[..], &["--crop-size", "48"]].concat()),
        0,
    );
    let out = dir.path().join("out");
    assert_eq!(
        files(&out),
        [
            "detections.csv",
            "detections.jsonl",
            "sub/a.jpg.crop0.jpg",
            "sub/a.jpg.crop1.jpg",
            "sub/a.jpg.drawn.jpg",
            "sub/a.jpg.face0.pts",
            "sub/a.jpg.face1.pts",
        ]
    );
    let size = |name: &str| image::image_dimensions(out.join(name)).unwrap();
    assert_eq!(size("sub/a.jpg.crop1.jpg"), (48, 48));
    assert_eq!(size("sub/a.jpg.drawn.jpg"), (60, 40));
    let face = &lines(&out)[0]["faces"][1];
    let pts = std::fs::read_to_string(out.join("sub/a.jpg.face1.pts")).unwrap();
    let rows: Vec<&str> = pts.lines().collect();
    assert_eq!(rows[..3], ["version: 1", "n_points: 98", "{"]);
    assert_eq!((rows.len(), rows[101]), (102, "}"));
    let x: f64 = rows[3].split(' ').next().unwrap().parse().unwrap();
    assert!((x - 0.5 - face["landmarks"][0][0].as_f64().unwrap()).abs() < 0.01);
    let table = std::fs::read_to_string(out.join("detections.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0][..5], ["image", "face", "width", "height", "score"]);
    assert_eq!(rows[2][..4], ["sub/a.jpg", "1", "60", "40"]);
    assert!(rows.iter().all(|row| row.len() == 9 + 2 * 98));
    let x: f64 = rows[2][9].parse().unwrap();
    assert_eq!(Some(x), face["landmarks"][0][0].as_f64());
}

#[test]
fn without_jsonl_there_is_none_but_resuming_works() {
    let dir = tempdir();
    save_photo(dir.path().join("a.jpg"), 1);
    let args = ["a.jpg", "--out", "out", "--save", "pts"];
    assert_code(&run(dir.path(), &args), 0);
    assert!(!dir.path().join("out/detections.jsonl").exists());
    assert_code(&run(dir.path(), &args), 2);
    let again = run(dir.path(), &[&args[..], &["--resume"]].concat());
    assert_code(&again, 0);
    assert!(text(&again.stdout).contains(" 1 skipped"));
}

#[test]
fn same_names_do_not_collide() {
    let dir = tempdir();
    for (i, name) in ["x/p/a.jpg", "x/p/a.png", "x/q/a.jpg", "y/p/a.jpg"]
        .iter()
        .enumerate()
    {
        save_photo(dir.path().join(name), i as u32);
    }
    assert_code(&run(dir.path(), &["x", "-r", "--out", "tree"]), 0);
    let tree = dir.path().join("tree");
    assert_eq!(images(&tree), ["p/a.jpg", "p/a.png", "q/a.jpg"]);
    assert_eq!(files(&tree).len(), 4);
    let output = run(
        dir.path(),
        &["x/p", "y/p", "y/p/a.jpg", "x/q/a.jpg", "--out", "two"],
    );
    assert_code(&output, 0);
    let two = dir.path().join("two");
    let expected = ["p/a.jpg", "p/a.png", "p~2/a.jpg", "a.jpg", "a~2.jpg"];
    assert_eq!(images(&two), expected);
    assert_eq!(files(&two).len(), 6);
}

#[test]
fn folders_within_folders_need_the_flag() {
    let dir = tempdir();
    save_photo(dir.path().join("in/a.JPG"), 1);
    save_photo(dir.path().join("in/deep/er/b.png"), 2);
    assert_code(&run(dir.path(), &["in", "--out", "flat"]), 0);
    assert_eq!(images(&dir.path().join("flat")), ["a.JPG"]);
    assert_code(&run(dir.path(), &["in", "--out", "deep", "--recursive"]), 0);
    assert_eq!(images(&dir.path().join("deep")), ["a.JPG", "deep/er/b.png"]);
    let none = run(dir.path(), &["in/deep", "--out", "none"]);
    assert_code(&none, 2);
    assert!(text(&none.stderr).contains("--recursive"));
}

#[test]
fn patterns_work_when_the_shell_did_not_expand_them() {
    let dir = tempdir();
    for name in ["in/a1.jpg", "in/a2.jpg", "in/b1.jpg", "in/s/a3.jpg"] {
        save_photo(dir.path().join(name), 1);
    }
    let found = |pattern: &str, out: &str| {
        assert_code(&run(dir.path(), &[pattern, "--out", out]), 0);
        images(&dir.path().join(out))
    };
    assert_eq!(found("in/a*.jpg", "one"), ["a1.jpg", "a2.jpg"]);
    assert_eq!(
        found("in/**/a*.jpg", "two"),
        ["a1.jpg", "a2.jpg", "s/a3.jpg"]
    );
    assert_eq!(found("in/?[12].jpg", "three").len(), 3);
    std::fs::rename(dir.path().join("in/b1.jpg"), dir.path().join("in/[x].jpg")).unwrap();
    assert_eq!(found("in/[x].jpg", "literal"), ["[x].jpg"]);
    for nothing in ["in/z*.jpg", "nowhere/*.jpg", "in/[", "missing.jpg"] {
        assert_code(&run(dir.path(), &[nothing, "--out", "nothing"]), 2);
    }
    assert!(!dir.path().join("nothing").exists());
}

#[test]
fn results_are_replaced_only_when_told() {
    let dir = tempdir();
    save_photo(dir.path().join("a.jpg"), 1);
    save_photo(dir.path().join("b.jpg"), 2);
    assert_code(&run(dir.path(), &["a.jpg", "--out", "out"]), 0);
    let out = dir.path().join("out");
    let before = std::fs::read(out.join("detections.jsonl")).unwrap();
    let refused = run(dir.path(), &["b.jpg", "--out", "out"]);
    assert_code(&refused, 2);
    assert!(text(&refused.stderr).contains("detections.jsonl exists already"));
    assert_eq!(std::fs::read(out.join("detections.jsonl")).unwrap(), before);
    assert_code(&run(dir.path(), &["b.jpg", "--out", "out", "--force"]), 0);
    assert_eq!(images(&out), ["b.jpg"]);
    assert_code(&run(dir.path(), &["b.jpg", "--force", "--resume"]), 2);
    // A drawing that is not ours is a result as well.
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("a.jpg.drawn.jpg"), "mine").unwrap();
    assert_code(&run(dir.path(), &["a.jpg", "--out", "other"]), 2);
    assert_eq!(files(&other), ["a.jpg.drawn.jpg"]);
}

#[test]
fn resume_does_what_is_missing_and_nothing_else() {
    let dir = tempdir();
    for name in ["a", "b", "c"] {
        save_photo(dir.path().join(format!("in/{name}.jpg")), 1);
    }
    let args = ["in", "--out", "out", "--resume"];
    assert_code(&run(dir.path(), &args), 0);
    let out = dir.path().join("out");
    let record = out.join("detections.jsonl");
    let whole = std::fs::read_to_string(&record).unwrap();
    // The last line is cut in half, and one drawing is gone.
    std::fs::write(&record, &whole[..whole.len() - 20]).unwrap();
    std::fs::remove_file(out.join("a.jpg.drawn.jpg")).unwrap();
    let output = run(dir.path(), &args);
    assert_code(&output, 0);
    assert!(text(&output.stdout).starts_with("2 photos,"));
    assert!(text(&output.stdout).contains(" 1 skipped"));
    assert_eq!(std::fs::read_to_string(&record).unwrap(), whole);
    assert_eq!(files(&out).len(), 4);
    let nothing = run(dir.path(), &args);
    assert_code(&nothing, 0);
    assert!(text(&nothing.stdout).contains(" 3 skipped"));
    // A failed photo is tried again.
    std::fs::write(dir.path().join("in/d.jpg"), "broken").unwrap();
    assert_code(&run(dir.path(), &args), 1);
    save_photo(dir.path().join("in/d.jpg"), 4);
    assert_code(&run(dir.path(), &args), 0);
    assert_eq!(images(&out), ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]);
}

#[test]
fn results_inside_the_photos_are_not_read_as_photos() {
    let dir = tempdir();
    save_photo(dir.path().join("a.jpg"), 1);
    let args = [".", "-r", "--save", "jsonl,image,crop"];
    assert_code(&run(dir.path(), &args), 0);
    assert_code(&run(dir.path(), &[&args[..], &["--force"]].concat()), 0);
    assert_eq!(images(&dir.path().join("detections")), ["a.jpg"]);
    // Also when results and photos share a folder.
    let here = [&args[..], &["--out", "."]].concat();
    assert_code(&run(dir.path(), &here), 0);
    std::fs::remove_dir_all(dir.path().join("detections")).unwrap();
    assert_code(&run(dir.path(), &[&here[..], &["--force"]].concat()), 0);
    assert_eq!(images(dir.path()), ["a.jpg"]);
}

#[test]
fn wrong_usage_is_told_before_anything_happens() {
    let dir = tempdir();
    save_photo(dir.path().join("a.jpg"), 1);
    for args in [
        &["a.jpg", "--size", "7"][..],
        &["a.jpg", "--size", "big"],
        &["a.jpg", "--score", "2"],
        &["a.jpg", "--nms", "-1"],
        &["a.jpg", "--max-faces", "0"],
        &["a.jpg", "--jobs", "0"],
        &["a.jpg", "--save", "jsonl,video"],
        &["a.jpg", "--device", "abacus"],
        &["a.jpg", "--max-pixels", "many"],
        &["a.jpg", "--weights", "none.safetensors"],
        &["a.jpg", "--weights", "a.jpg"],
        &[],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
        command.current_dir(dir.path()).arg("detect");
        if !args.contains(&"--weights") {
            command.arg("--weights").arg(random_weights());
        }
        let output = command.args(args).output().unwrap();
        assert_code(&output, 2);
        assert!(!output.stderr.is_empty());
        assert_eq!(files(dir.path()), ["a.jpg"], "{args:?}");
    }
}

#[test]
fn one_missing_path_does_not_stop_the_others() {
    let dir = tempdir();
    save_photo(dir.path().join("a.jpg"), 1);
    let output = run(dir.path(), &["a.jpg", "missing.jpg", "--out", "out"]);
    assert_code(&output, 1);
    assert!(text(&output.stderr).contains("missing.jpg"));
    assert_eq!(images(&dir.path().join("out")), ["a.jpg"]);
}

#[test]
fn large_photos_are_refused_by_their_header() {
    let dir = tempdir();
    save_photo(dir.path().join("a.jpg"), 1); // 2,400 pixels
    let at = |limit: &str| run(dir.path(), &["a.jpg", "--force", "--max-pixels", limit]);
    assert_code(&at("2400"), 0);
    let refused = at("2399");
    assert_code(&refused, 1);
    assert!(text(&refused.stderr).contains("a.jpg"));
    assert!(images(&dir.path().join("detections")).is_empty());
}

#[test]
fn a_named_file_is_tried_whatever_its_name() {
    let dir = tempdir();
    save_photo(dir.path().join("a.png"), 1);
    std::fs::rename(dir.path().join("a.png"), dir.path().join("photo")).unwrap();
    assert_code(&run(dir.path(), &["photo"]), 0);
    assert_eq!(images(&dir.path().join("detections")), ["photo"]);
}

#[test]
fn photos_are_turned_as_their_exif_says() {
    let dir = tempdir();
    let path = dir.path().join("a.jpg");
    save_photo(path.clone(), 1);
    let jpeg = std::fs::read(&path).unwrap();
    // An EXIF segment with one entry, orientation 6 (turn by 90 degrees).
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let length = (exif.len() as u16 + 2).to_be_bytes();
    let turned = [&jpeg[..2], &[0xff, 0xe1], &length, exif, &jpeg[2..]].concat();
    std::fs::write(&path, turned).unwrap();
    assert_code(&run(dir.path(), &["a.jpg"]), 0);
    let out = dir.path().join("detections");
    let line = &lines(&out)[0];
    assert_eq!((&line["width"], &line["height"]), (&40.into(), &60.into()));
    let drawn = image::image_dimensions(out.join("a.jpg.drawn.jpg"));
    assert_eq!(drawn.unwrap(), (40, 60));
}

#[test]
fn photos_of_one_pixel_and_of_extreme_shape_work() {
    let dir = tempdir();
    for (width, height) in [(1, 1), (1, 3000), (3000, 1), (70_000, 1)] {
        let path = dir.path().join(format!("in/{width}x{height}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture(width, height, 1).save(path).unwrap();
    }
    for size in ["64", "full"] {
        let args = ["in", "--force", "--save", "jsonl,image,crop,pts"];
        assert_code(&detect(dir.path(), size).args(args).output().unwrap(), 0);
        assert_eq!(lines(&dir.path().join("detections")).len(), 4);
    }
    let names = files(&dir.path().join("detections"));
    assert!(names.contains(&"70000x1.png.drawn.png".to_owned()));
}
