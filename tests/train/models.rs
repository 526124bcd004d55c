//! Many runs measured: `evaluate --models`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::run::{run, stderr, toy_config, write_config};
use crate::support::tempdir;

fn evaluate(models: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
    command.current_dir(models.parent().unwrap());
    command.args(["evaluate", "--score", "0", "--set", "detect.score=0"]);
    command.arg("--models").arg(models).arg("--out").arg(out);
    command
}

/// A folder with a short training run of each rate, named by it.
fn study(folder: &Path, rates: &[&str]) -> PathBuf {
    let study = folder.join("study");
    let mut config = toy_config(folder);
    config.train.epochs = 1;
    let path = write_config(&config, folder);
    for rate in rates {
        let out = format!("train.out={}", study.join(rate).join("1").display());
        let rate = format!("optimizer.learning_rate={rate}");
        let output = run(&path, &["--set", &rate, "--set", &out]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    // Runs name their photos themselves.
    fs::remove_file(path).unwrap();
    study
}

fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn lines(out: &Path) -> Vec<String> {
    let text = fs::read_to_string(out.join("eval.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
}

#[test]
fn all_runs_are_measured_and_what_cannot_be_is_listed() {
    let folder = tempdir();
    let study = study(folder.path(), &["0.001", "0.01"]);
    let broken = study.join("broken");
    fs::create_dir(&broken).unwrap();
    fs::copy(
        study.join("0.001/1/config.yaml"),
        broken.join("config.yaml"),
    )
    .unwrap();
    fs::write(broken.join("best.safetensors"), "no weights").unwrap();

    let out = folder.path().join("out");
    let output = evaluate(&study, &out).output().unwrap();
    assert_code(&output, 1);
    assert!(String::from_utf8_lossy(&output.stdout).contains("| folder | weights |"));
    let table = rows(&out.join("models.csv"));
    assert_eq!(table.len(), 3);
    let mut errors = Vec::new();
    for row in &table[..2] {
        assert_eq!(row["weights"], "best.safetensors");
        assert_eq!((&*row["boxes"], &*row["not measured"]), ("detected", ""));
        assert!(row["data"].ends_with("val.txt"), "{}", row["data"]);
        let own = out.join(&row["folder"]);
        let report = fs::read(own.join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        let error: f64 = row["nme_joint"].parse().unwrap();
        assert_eq!(report["alignment"]["nme_joint"], error);
        assert_eq!(report["photos"].to_string(), row["photos"]);
        let faces = rows(&own.join("faces.csv"));
        assert_eq!(faces.len().to_string(), row["faces"]);
        let sum: f64 = faces
            .iter()
            .map(|face| face["nme"].parse::<f64>().unwrap())
            .sum();
        assert!((sum / faces.len() as f64 - error).abs() < 1e-5);
        for sheet in ["best.jpg", "worst.jpg"] {
            assert!(image::open(own.join(sheet)).unwrap().width() > 192);
        }
        errors.push(error);
    }
    assert!(errors[0] <= errors[1], "{errors:?}");
    let last = &table[2];
    assert!(last["folder"] == "broken" && last["nme_joint"].is_empty());
    assert!(
        last["not measured"].contains("best.safetensors"),
        "{last:?}"
    );

    let text = lines(&out);
    assert_eq!(text.len(), 3);
    assert!(text[0].ends_with(&format!("\tbest.safetensors\t{:.5}", errors[0])));
    assert!(text[2].starts_with("broken\tbest.safetensors\tnot measured: "));
    for file in ["models.md", "models.html", "ced.svg"] {
        let text = fs::read_to_string(out.join(file)).unwrap();
        for row in &table[..2] {
            assert!(text.contains(&row["folder"]), "{file}");
        }
        assert_eq!(text.contains("broken"), file != "ced.svg", "{file}");
    }
}

#[test]
fn the_newest_weights_and_other_photos_are_taken_when_asked_for() {
    let folder = tempdir();
    let study = study(folder.path(), &["0.001"]);
    let out = folder.path().join("out");
    let data = format!(
        "wflw:{}:{}",
        folder.path().join("train.txt").display(),
        folder.path().display()
    );
    let mut command = evaluate(&study, &out);
    let output = command
        .args(["--newest", "--data", &data])
        .output()
        .unwrap();
    assert_code(&output, 0);
    let table = rows(&out.join("models.csv"));
    assert_eq!(
        (table.len(), &*table[0]["weights"]),
        (1, "final.safetensors")
    );
    assert!(table[0]["data"].ends_with("train.txt") && table[0]["photos"] == "8");

    let nothing = evaluate(&folder.path().join("out"), &out).output().unwrap();
    assert_code(&nothing, 1);
    assert!(
        stderr(&nothing).contains("no folder there"),
        "{}",
        stderr(&nothing)
    );
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_what_is_measured() {
    let folder = tempdir();
    let study = study(folder.path(), &["0.001"]);
    let copies = 300;
    for copy in 0..copies {
        let new = study.join(format!("{copy}"));
        fs::create_dir(&new).unwrap();
        for file in ["config.yaml", "best.safetensors"] {
            fs::hard_link(study.join("0.001/1").join(file), new.join(file)).unwrap();
        }
    }
    let out = folder.path().join("out");
    let mut command = evaluate(&study, &out);
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while lines(&out).len() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 130);
    let measured = lines(&out).len();
    assert!((2..copies).contains(&measured), "{measured}");
    let words = format!("stopped after {measured} of {}", copies + 1);
    assert!(stderr(&output).contains(&words), "{}", stderr(&output));
    assert_eq!(rows(&out.join("models.csv")).len(), measured);
}
