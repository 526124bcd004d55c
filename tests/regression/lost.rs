//! Work that was lost: status lines, signals, two runs in one folder, full disks.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use retinamark::config::Config;
use retinamark::train::log::{RunLog, Stand};
use retinamark::train::tensorboard::read_events;

use crate::detect::{picture, random_weights};
use crate::support::tempdir;
use crate::train::run::{toy_config, write_config};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_retinamark"))
}

/// A pipe that nobody reads any more, as after `| head -2` or when Ctrl-C has ended `tee` too.
pub fn dead_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
pub fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
}

/// A toy run of `epochs` epochs, and its config file.
pub fn toy_run(folder: &Path, epochs: usize) -> (Config, Command) {
    let mut config = toy_config(folder);
    config.train.epochs = epochs;
    let mut command = program();
    command
        .arg("train")
        .arg("--config")
        .arg(write_config(&config, folder));
    (config, command)
}

/// `train ... 2>&1 | head -2` ended with exit code 101 at the first status line, and the run was
/// gone.
#[test]
fn a_run_whose_words_nobody_reads_goes_on() {
    let folder = tempdir();
    let (config, mut command) = toy_run(folder.path(), 1);
    let status = command.stdout(dead_pipe()).stderr(dead_pipe()).status();
    assert_eq!(status.unwrap().code(), Some(0));
    assert!(config.train.out.join("final.safetensors").exists());
}

/// `evaluate | true`, `check-data | true`, `label`, `pack`, `synth` and `bench` panicked in
/// `println!`, some after minutes of work.
#[test]
fn no_command_minds_that_its_result_is_not_read() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = write_config(&config, folder.path());
    let weights = random_weights();
    picture(60, 40, 1)
        .save(folder.path().join("photo.jpg"))
        .unwrap();
    let with_config = |command: &'static str| vec![command.into(), "--config".into(), path.clone()];
    let with_weights = |mut args: Vec<std::path::PathBuf>| {
        args.extend(["--weights".into(), weights.to_path_buf()]);
        args
    };
    let detect = ["detect", "photo.jpg", "--out", "found", "--size", "64"].map(Into::into);
    let pack = ["pack", "--out", "packed.safetensors"].map(Into::into);
    let bench = ["bench", "--size", "32", "--iterations", "1"].map(Into::into);
    for args in [
        with_config("check-data"),
        with_weights(with_config("evaluate")),
        vec![
            "synth".into(),
            "--out".into(),
            "drawn".into(),
            "--photos".into(),
            "2".into(),
        ],
        with_weights(pack.to_vec()),
        with_weights(bench.to_vec()),
        with_weights(vec!["info".into()]),
        with_weights(detect.to_vec()),
    ] {
        let mut command = program();
        command
            .current_dir(folder.path())
            .args(&args)
            .stdout(dead_pipe());
        let output = command.stderr(Stdio::piped()).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            text(&output.stderr)
        );
        let mut command = program();
        command
            .current_dir(folder.path())
            .args(&args)
            .stderr(dead_pipe());
        let status = command.stdout(Stdio::null()).status().unwrap();
        assert!(matches!(status.code(), Some(0..=2)), "{args:?}: {status}");
    }
    // Its own failure is not one of the reader's.
    let output = program()
        .args(["info", "--weights", "none"])
        .stdout(dead_pipe())
        .output();
    assert_code(&output.unwrap(), 1);
}

fn row(epoch: f64) -> Vec<(String, f64)> {
    vec![("epoch".into(), epoch), ("loss".into(), 1.0)]
}

/// The disk had no room for the checkpoint that closes an epoch; after `--resume` that epoch had two
/// rows in `epochs.csv`, and two points in TensorBoard.
#[test]
fn an_epoch_that_is_finished_again_has_one_row() {
    let folder = tempdir();
    let mut log = RunLog::open(folder.path(), None).unwrap();
    for (step, epoch) in [(2, 1.0), (4, 2.0)] {
        log.step(step, &row(epoch)).unwrap();
        log.epoch(step, &row(epoch)).unwrap();
        log.validation(step, &row(epoch)).unwrap();
    }
    drop(log);
    // The checkpoint knows the last step of the second epoch, but not its end.
    let stand = Stand { step: 4, epochs: 1 };
    let mut log = RunLog::open(folder.path(), Some(stand)).unwrap();
    log.epoch(4, &row(2.0)).unwrap();
    log.validation(4, &row(2.0)).unwrap();
    for name in ["steps.csv", "epochs.csv", "validation.csv"] {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text, "step,epoch,loss\n2,1,1\n4,2,1\n", "{name}");
    }
    let mut tags = Vec::new();
    for file in fs::read_dir(folder.path().join("tensorboard")).unwrap() {
        for event in read_events(&file.unwrap().path()).unwrap() {
            let values = event.summary.into_iter().flat_map(|summary| summary.value);
            tags.extend(values.map(|value| (value.tag, event.step)));
        }
    }
    tags.sort();
    let twice = tags.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
    assert_eq!(tags.len(), 2 * 2 * 3);
}

/// A run that could not start (a bad list, a file where a folder should be) left a folder with a
/// config, which the next one took for a run.
#[test]
fn what_cannot_start_leaves_nothing() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = write_config(&config, folder.path());
    fs::write(folder.path().join("file"), "").unwrap();
    let file = folder.path().join("file").display().to_string();
    for set in [
        "data.train.0.list=missing.txt".to_owned(),
        "init.weights=missing.safetensors".into(),
        "optimizer.freeze=[nothing]".into(),
        "train.partner=missing.safetensors".into(),
        "train.blend_weights=missing.safetensors".into(),
        format!("snapshot.dir={file}"),
        format!("train.out={file}"),
        format!("train.out={file}/below"),
    ] {
        let mut command = program();
        command.args([
            "train",
            "--set",
            &set,
            "--set",
            "train.blend_share=0.5",
            "--config",
        ]);
        let before = fs::read_dir(folder.path()).unwrap().count();
        let output = command.arg(&path).output().unwrap();
        if set.contains("data.") {
            assert!(
                text(&output.stderr).contains("missing.txt"),
                "{}",
                text(&output.stderr)
            );
        }
        assert_code(&output, 1);
        assert!(!config.train.out.exists(), "{set}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            before,
            "{set}"
        );
    }
}

/// `evaluate --out FILE` said so after an hour of measuring.
#[test]
fn a_file_in_place_of_a_folder_is_told_first() {
    let folder = tempdir();
    let path = write_config(&toy_config(folder.path()), folder.path());
    fs::write(folder.path().join("file"), "").unwrap();
    let mut command = program();
    command
        .args(["evaluate", "--out", "file", "--config"])
        .arg(&path);
    // What comes later would fail too.
    command
        .args(["--data", "wflw:missing.txt:.", "--weights"])
        .arg(random_weights());
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_code(&output, 1);
    let words = text(&output.stderr);
    assert!(words.contains("file is not a folder"), "{words}");
}

/// The drawing of a photo whose name has 255 bytes has a name that no file may have; the photo's line
/// went with it.
#[test]
fn a_file_that_cannot_be_written_does_not_take_the_line_along() {
    let folder = tempdir();
    let name = format!("{}.png", "n".repeat(251));
    picture(60, 40, 1).save(folder.path().join(&name)).unwrap();
    picture(60, 40, 2)
        .save(folder.path().join("z.png"))
        .unwrap();
    let mut command = program();
    command.args([
        "detect",
        ".",
        "--out",
        "out",
        "--size",
        "64",
        "--save",
        "jsonl,image",
        "--weights",
    ]);
    let output = command
        .arg(random_weights())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_code(&output, 1);
    let record = fs::read_to_string(folder.path().join("out/detections.jsonl")).unwrap();
    assert_eq!(record.lines().count(), 2, "{record}");
    assert!(
        text(&output.stderr).contains(".drawn.jpg"),
        "{}",
        text(&output.stderr)
    );
    assert!(text(&output.stdout).contains("2 photos") && text(&output.stdout).contains("1 failed"));
    assert!(folder.path().join("out/z.png.drawn.jpg").exists());
}

/// A validation list without faces cannot tell which epoch is the best; the run ended without
/// `best.safetensors`, and without a word.
#[test]
fn a_validation_that_measures_nothing_leaves_the_last_weights_as_the_best() {
    let folder = tempdir();
    let (config, mut command) = toy_run(folder.path(), 1);
    fs::write(folder.path().join("none.txt"), "val_0.png\n0\n").unwrap();
    let list = folder.path().join("none.txt");
    let images = folder.path().display();
    let set = format!(
        "data.validation=[{{kind: wider, list: {}, images: {images}}}]",
        list.display()
    );
    let output = command.args(["--set", &set]).output().unwrap();
    assert_code(&output, 0);
    let words = text(&output.stderr);
    assert!(
        words.contains("names no face") && words.contains("holds the last one"),
        "{words}"
    );
    assert!(config.train.out.join("best.safetensors").exists());
}
