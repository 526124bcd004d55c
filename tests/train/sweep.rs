//! Many runs: `sweep`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::run::{stderr, toy_config, write_config};
use crate::support::tempdir;

fn sweep(config: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
    command.arg("sweep").arg("--config").arg(config);
    command.arg("--out").arg(out).args(more);
    command.output().unwrap()
}

/// Dated folders of a combination.
fn dated(out: &Path, name: &str) -> Vec<String> {
    let entries = fs::read_dir(out.join(name)).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

const RATES: [&str; 2] = ["--grid", "optimizer.learning_rate=0.001,0.002"];

#[test]
fn a_sweep_trains_every_combination_once_and_marks_what_failed() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.train.epochs = 1;
    let path = write_config(&config, folder.path());
    let out = folder.path().join("study");
    let start = ["--grid", "init.weights=null,missing.pth"];
    let grid = [&RATES[..], &start].concat();
    let output = sweep(&path, &out, &grid);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let table = fs::read_to_string(out.join("sweep.md")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("| optimizer.learning_rate | init.weights | epoch |"),
        "{table}"
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("| done |"))
            .count(),
        2,
        "{table}"
    );
    let failed = lines
        .iter()
        .filter(|line| line.contains("| failed: "))
        .count();
    assert!(failed == 2 && table.contains("missing.pth"), "{table}");
    assert!(
        table.contains("optimizer.learning_rate down, init.weights across"),
        "{table}"
    );
    let csv = fs::read_to_string(out.join("sweep.csv")).unwrap();
    assert!(
        csv.lines().count() == 5 && csv.contains("nme_joint"),
        "{csv}"
    );

    let name = "optimizer.learning_rate=0.001,init.weights=null";
    let [run] = &dated(&out, name)[..] else {
        panic!("not one run")
    };
    let date: Vec<usize> = run.split(['-', '_']).map(|part| part.len()).collect();
    assert_eq!(date, [4, 2, 2, 2, 2, 2], "{run}");
    for file in ["final.safetensors", "config.yaml", "train.log", "snapshots"] {
        assert!(out.join(name).join(run).join(file).exists(), "{file}");
    }
    // The second time there is nothing to do, and the failed are tried again when that is asked for.
    let other = "optimizer.learning_rate=0.002,init.weights=missing.pth";
    assert_eq!(sweep(&path, &out, &grid).status.code(), Some(1));
    assert_eq!([dated(&out, name).len(), dated(&out, other).len()], [1, 1]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let again = sweep(
        &path,
        &out,
        &[&grid[..], &["--retry", "--jobs", "2"]].concat(),
    );
    assert_eq!(again.status.code(), Some(1));
    assert_eq!([dated(&out, name).len(), dated(&out, other).len()], [1, 2]);
}

#[test]
fn a_stopped_run_of_a_sweep_goes_on() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.train.epochs = 1;
    let path = write_config(&config, folder.path());
    let out = folder.path().join("study");
    let grid = ["--grid", "seed=3"];
    assert!(sweep(&path, &out, &grid).status.success());
    let run = out.join("seed=3").join(&dated(&out, "seed=3")[0]);
    fs::remove_file(run.join("final.safetensors")).unwrap();
    let output = sweep(&path, &out, &grid);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(run.join("final.safetensors").is_file());
    assert_eq!(dated(&out, "seed=3").len(), 1);
}

#[test]
fn impossible_combinations_are_found_before_anything_is_trained() {
    let folder = tempdir();
    let path = write_config(&toy_config(folder.path()), folder.path());
    let out = folder.path().join("study");
    for (grid, reason) in [
        ("optimizer.learning_rate=0.1,fast", "learning_rate"),
        ("train.epoch=1,2", "epoch"),
        ("seed", "KEY=VALUE"),
        ("init.weights=a b.pth,a/b.pth", "share the folder"),
    ] {
        let output = sweep(&path, &out, &["--grid", grid]);
        let text = stderr(&output);
        assert!(
            !output.status.success() && text.contains(reason),
            "{grid}: {text}"
        );
        assert!(!out.exists());
    }
}
