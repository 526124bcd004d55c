//! Runs of the program `retinamark config` itself.

use std::path::Path;
use std::process::{Command, Output};

use retinamark::config::ScheduleKind;
use retinamark::kinds::Kinds;

use crate::support::tempdir;
use crate::train::run::toy_config;

fn config(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .current_dir(folder)
        .arg("config")
        .args(args)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Height of the curve's highest point in each column that it is in, in pixels from below.
fn heights(file: &Path) -> Vec<u32> {
    let picture = image::open(file).unwrap().to_rgb8();
    let is_curve = |x, y| {
        let [r, _, b] = picture.get_pixel(x, y).0;
        b > 150 && r < 80
    };
    let column = |x| (0..picture.height()).find(|&y| is_curve(x, y));
    let rows = (0..picture.width()).filter_map(column);
    rows.map(|y| picture.height() - y).collect()
}

#[test]
fn every_schedule_can_be_drawn() {
    let folder = tempdir();
    let draw = |kind: &str| {
        let kind = format!("schedule.kind={kind}");
        let args = [
            "--plot-schedule",
            "rate.png",
            "--steps-per-epoch",
            "50",
            "--set",
            &kind,
        ];
        let output = config(folder.path(), &args);
        assert!(output.status.success(), "{kind}: {}", stderr(&output));
        heights(&folder.path().join("rate.png"))
    };
    for kind in ScheduleKind::NAMES {
        assert!(draw(kind).len() > 500, "{kind}");
    }
    let constant = draw("constant");
    let (first, last) = (constant[100], constant[constant.len() - 1]);
    assert!(first.abs_diff(last) <= 1, "{first}, then {last}");
    let cosine = draw("cosine");
    let (first, last) = (cosine[50], cosine[cosine.len() - 1]);
    assert!(first > last + 300, "{first}, then {last}");
}

#[test]
fn the_steps_of_an_epoch_come_from_the_photos() {
    let folder = tempdir();
    let text = toy_config(folder.path()).to_yaml().unwrap();
    std::fs::write(folder.path().join("mine.yaml"), text).unwrap();
    let args = ["--config", "mine.yaml", "--plot-schedule", "rate.png"];
    let output = config(folder.path(), &args);
    assert!(output.status.success(), "{}", stderr(&output));
    // 8 photos, 2 a micro-batch, 2 micro-batches a step.
    assert!(
        stderr(&output).contains("3 epochs of 2 steps"),
        "{}",
        stderr(&output)
    );
    let output = config(folder.path(), &["--plot-schedule", "other.png"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("--steps-per-epoch"),
        "{}",
        stderr(&output)
    );
    assert!(!folder.path().join("other.png").exists());
}

#[test]
fn defaults_are_printed_as_a_file_to_start_from() {
    let folder = tempdir();
    let output = config(folder.path(), &["--defaults"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.yaml");
    assert_eq!(text, std::fs::read_to_string(file).unwrap());
    for more in [&["--set", "seed=3"][..], &["--plot-schedule", "rate.png"]] {
        let output = config(folder.path(), &[&["--defaults"], more].concat());
        assert!(!output.status.success(), "{more:?}");
    }
    assert!(!config(folder.path(), &[]).status.success());
}
