//! Names, links and signals that only some systems have.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Child;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn names_that_are_not_utf8_are_processed_and_stay_apart() {
    let dir = tempdir();
    save_photo(dir.path().join("x.png"), 1);
    let folder = dir.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    for name in [&b"a\xff.png"[..], b"a\xfe.png"] {
        let to = folder.join(OsStr::from_bytes(name));
        std::fs::copy(dir.path().join("x.png"), to).unwrap();
    }
    assert_code(&run(dir.path(), &["in", "--out", "out"]), 0);
    let out = dir.path().join("out");
    assert_eq!(images(&out), ["a\u{fffd}FE.png", "a\u{fffd}FF.png"]);
    assert_eq!(files(&out).len(), 3);
    assert_code(&run(dir.path(), &["in/*.png", "--out", "pattern"]), 0);
    assert_eq!(images(&dir.path().join("pattern")).len(), 2);
    let again = run(dir.path(), &["in", "--out", "out", "--resume"]);
    assert!(text(&again.stdout).contains(" 2 skipped"));
}

#[test]
fn link_loops_and_dead_links_are_reported() {
    let dir = tempdir();
    save_photo(dir.path().join("in/a.jpg"), 1);
    symlink("..", dir.path().join("in/loop")).unwrap();
    symlink("nowhere", dir.path().join("in/dead.jpg")).unwrap();
    let output = run(dir.path(), &["in", "-r"]);
    assert_code(&output, 1);
    assert_eq!(images(&dir.path().join("detections")), ["a.jpg"]);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("loop") && errors.contains("dead.jpg"),
        "{errors}"
    );
    assert!(text(&output.stdout).contains(" 2 failed"));
    std::fs::remove_file(dir.path().join("in/dead.jpg")).unwrap();
    // Not going down, the loop does not matter.
    assert_code(&run(dir.path(), &["in", "--force"]), 0);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let dir = tempdir();
    save_photo(dir.path().join("in/a.jpg"), 1);
    let pipe = dir.path().join("in/pipe.jpg");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let output = run(dir.path(), &["in"]);
    assert_code(&output, 1);
    assert!(text(&output.stderr).contains("pipe.jpg: not a regular file"));
}

/// A run over many photos, once its first lines are written.
fn under_way(folder: &Path) -> Child {
    for i in 0..60 {
        save_photo(folder.join(format!("in/{i:02}.png")), i);
    }
    let child = detect(folder, "128")
        .args(["in", "--out", "out", "--jobs", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let part = folder.join("out/detections.jsonl.part");
    let begun = Instant::now();
    while part.metadata().map_or(0, |data| data.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

fn assert_resumes(folder: &Path) {
    let args = ["in", "--out", "out", "--resume"];
    let output = detect(folder, "128").args(args).output().unwrap();
    assert_code(&output, 0);
    let names = images(&folder.join("out"));
    assert!(names.len() == 60 && names.is_sorted());
    let mut expected: Vec<String> = names
        .iter()
        .map(|name| format!("{name}.drawn.jpg"))
        .collect();
    expected.push("detections.jsonl".into());
    expected.sort();
    assert_eq!(files(&folder.join("out")), expected);
}

#[test]
fn ctrl_c_leaves_complete_files_only() {
    let dir = tempdir();
    let mut child = under_way(dir.path());
    signal(&child, "-INT");
    let mut summary = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut summary)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(summary.contains("--resume goes on"), "{summary}");
    let out = dir.path().join("out");
    let done = images(&out);
    assert!(!done.is_empty() && done.len() < 60);
    let mut expected: Vec<String> = done
        .iter()
        .map(|name| format!("{name}.drawn.jpg"))
        .collect();
    expected.push("detections.jsonl".into());
    expected.sort();
    assert_eq!(files(&out), expected);
    for name in &done {
        image::open(out.join(format!("{name}.drawn.jpg"))).unwrap();
    }
    assert_resumes(dir.path());
}

#[test]
fn a_kill_loses_only_the_photo_in_flight() {
    let dir = tempdir();
    let mut child = under_way(dir.path());
    signal(&child, "-KILL");
    child.wait().unwrap();
    let out = dir.path().join("out");
    assert!(!out.join("detections.jsonl").exists());
    std::fs::write(out.join(".writing-abc"), "left behind").unwrap();
    assert_code(&run(dir.path(), &["in", "--out", "out"]), 2);
    assert_resumes(dir.path());
}
