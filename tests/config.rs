//! Tests of config.

mod command;
mod kinds;
mod page;

use std::path::{Path, PathBuf};

use retinamark::config::{Config, MultiStep, ScheduleKind, SchemeName, SourceKind};

fn error(yaml: &str) -> String {
    match Config::from_yaml(yaml) {
        Ok(_) => panic!("accepted: {yaml}"),
        Err(e) => format!("{e:#}"),
    }
}

fn sets(list: &[&str]) -> anyhow::Result<Config> {
    let list: Vec<String> = list.iter().map(|s| (*s).to_owned()).collect();
    let empty = tempfile::NamedTempFile::new().unwrap();
    Config::load(Some(empty.path()), &list)
}

fn set_error(set: &str) -> String {
    format!("{:#}", sets(&[set]).unwrap_err())
}

fn assert_names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn an_empty_file_and_empty_sections_are_the_defaults() {
    assert_eq!(Config::from_yaml("").unwrap(), Config::default());
    let commented = "data:\n  # train: []\nmodel:\n";
    assert_eq!(Config::from_yaml(commented).unwrap(), Config::default());
}

#[test]
fn a_config_survives_yaml() {
    let mut config = Config {
        seed: 7,
        ..Config::default()
    };
    config.detect.nms_iou = 0.35;
    config.optimizer.learning_rate = 1.5e-5;
    config.init.weights = Some(PathBuf::from("weights/start model.pth"));
    assert_eq!(
        Config::from_yaml(&config.to_yaml().unwrap()).unwrap(),
        config
    );
}

#[test]
fn unknown_keys_are_named_with_what_is_allowed() {
    assert_names(
        &error("detect: {scroe: 0.5}"),
        &["detect.scroe", "unknown field", "`score`", "`nms_iou`"],
    );
    assert_names(&error("detector: {}"), &["detector", "`detect`"]);
    assert_names(
        &error("data: {train: [{kind: wflw, list: a, weigth: 2}]}"),
        &["data.train[0].weigth", "`weight`"],
    );
}

#[test]
fn wrong_types_are_named_with_what_is_expected() {
    assert_names(&error("detect: {score: high}"), &["detect.score", "high"]);
    assert_names(&error("train: {epochs: -3}"), &["train.epochs", "-3"]);
    assert_names(&error("train: {epochs: 1.5}"), &["train.epochs", "1.5"]);
    assert_names(
        &error("anchors: {min_sizes: [[16, x]]}"),
        &["anchors.min_sizes[0][1]"],
    );
    assert_names(
        &error("loss: {landmark: wings}"),
        &["loss.landmark", "`wings`", "`wing`", "`soft_wing`"],
    );
    assert_names(&error("input: {mean: [1, 2]}"), &["input.mean", "3"]);
    assert_names(&error("data: {train: [{kind: wflw}]}"), &["list"]);
    assert_names(&error("- 1"), &["key: value"]);
    assert_names(&error("seed: 1\nseed: 2"), &["seed"]);
    assert_names(&error("seed: [1"), &["line"]);
}

#[test]
fn impossible_values_are_named_with_what_is_allowed() {
    for (yaml, parts) in [
        ("detect: {score: 1.1}", ["detect.score", "0 to 1", "1.1"]),
        (
            "detect: {nms_iou: .nan}",
            ["detect.nms_iou", "above 0", "NaN"],
        ),
        (
            "model: {neck_channels: 66}",
            ["model.neck_channels", "multiple of 4", "66"],
        ),
        (
            "model: {width_multiplier: 0}",
            ["model.width_multiplier", "0.125", "4"],
        ),
        (
            "anchors: {strides: [4, 8, 16]}",
            ["anchors.strides", "[8, 16, 32]", "4"],
        ),
        (
            "anchors: {min_sizes: [[16], [32]]}",
            ["anchors.min_sizes", "3", "2"],
        ),
        (
            "anchors: {min_sizes: [[16], [32], [1, 2]]}",
            ["anchors.min_sizes[2]", "same number", "one"],
        ),
        (
            "anchors: {variances: [0, 0.2]}",
            ["anchors.variances[0]", "above 0", "is 0"],
        ),
        (
            "input: {channel_order: grey}",
            ["input.mean", "channel_order", "1, not 3"],
        ),
        (
            "model: {batch_norm: false}",
            ["input.std", "model.batch_norm", "at least 16"],
        ),
        (
            "model: {backbone: resnet18, depth_gamma: 1.1}",
            ["model.depth_gamma", "mobilenet_v1", "plain"],
        ),
        (
            "model: {width_multiplier: 1, depth_gamma: 1.5}",
            ["model.depth_gamma", "at most 16", "194"],
        ),
        ("input: {std: [1, 1, 0]}", ["input.std[2]", "above 0", "0"]),
        (
            "matcher: {forced_iou: 0.5}",
            ["matcher.forced_iou", "matcher.positive_iou", "above"],
        ),
        (
            "optimizer: {kind: sgd, momentum: 1.0}",
            ["optimizer.momentum", "below 1", "is 1"],
        ),
        (
            "optimizer: {learning_rate: 0}",
            ["optimizer.learning_rate", "above 0", "0"],
        ),
        (
            "optimizer: {accumulate: 0}",
            ["optimizer.accumulate", "1", "0"],
        ),
        (
            "schedule: {kind: multi_step, milestones: [20, 30]}",
            ["schedule.milestones", "0 to 1", "20"],
        ),
        (
            "loss: {landmark: {epsilon: 0}}",
            ["loss.landmark.epsilon", "above 0", "0"],
        ),
        (
            "augment: {jpeg: {quality: [90, 30]}}",
            ["augment.jpeg.quality", "rising", "[90, 30]"],
        ),
        (
            "augment: {flip: {probability: 2}}",
            ["augment.flip.probability", "0 to 1", "2"],
        ),
        ("train: {batch_size: 0}", ["train.batch_size", "1", "0"]),
        (
            "data: {train: [{kind: wflw, list: a, weight: -1}]}",
            ["data.train[0].weight", "0", "-1"],
        ),
        (
            "data: {train: [{kind: pts, list: a, wider: b}]}",
            ["data.train[0].wider", "wflw", "only"],
        ),
        (
            "data: {train: [{kind: wflw, list: a, pose_convention: face3d}]}",
            ["data.train[0].pose_convention", "needs", "pose"],
        ),
        (
            "data: {pose: points}\nlandmarks: {scheme: custom, custom: {points: 3, normalise: [0, 1]}}",
            ["data.pose", "eyes", "landmarks.custom.anatomy"],
        ),
        (
            "loss: {pose: {weight: -1}}",
            ["loss.pose.weight", "0 to", "-1"],
        ),
        (
            "landmarks: {scheme: custom}",
            ["landmarks.custom", "missing", "custom"],
        ),
        (
            "landmarks: {scheme: custom, custom: {points: 3, flip_pairs: [[0, 3]], normalise: [0, 1]}}",
            ["landmarks", "flip pair", "3"],
        ),
    ] {
        assert_names(&error(yaml), &parts);
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let message = error("detect: {score: 2}\ntrain: {epochs: 0}");
    assert_names(&message, &["detect.score", "train.epochs"]);
}

#[test]
fn sets_change_single_values() {
    let config = sets(&[
        "train.epochs=3",
        "landmarks.scheme=five",
        "schedule.kind=multi_step",
        "schedule.milestones=[0.25, 1]",
        "anchors.min_sizes.0=[10, 20]",
        "data.train=[{kind: wflw, list: a=b.txt}]",
        "data.train.0.weight=2",
        "data.train.1.kind=wider",
        "data.train.1.list=w.txt",
        "init.weights=start.pth",
        "optimizer.learning_rate=1e-4",
    ])
    .unwrap();
    assert_eq!(config.train.epochs, 3);
    assert_eq!(config.landmarks.scheme, SchemeName::Five);
    let milestones = vec![0.25, 1.0];
    let steps = MultiStep {
        milestones,
        ..MultiStep::default()
    };
    assert_eq!(config.schedule.kind, ScheduleKind::MultiStep(steps));
    assert_eq!(config.anchors.min_sizes[0], [10.0, 20.0]);
    assert_eq!(config.anchors.min_sizes[1], [64.0, 128.0]);
    assert_eq!(config.data.train[0].list, Path::new("a=b.txt"));
    assert_eq!(config.data.train[0].weight, 2.0);
    assert_eq!(config.data.train[1].kind, SourceKind::Wider);
    assert_eq!(config.init.weights.as_deref(), Some(Path::new("start.pth")));
    assert_eq!(config.optimizer.learning_rate, 1e-4);
}

#[test]
fn sets_make_optional_parts() {
    let config = sets(&[
        "landmarks.scheme=custom",
        "landmarks.custom.points=3",
        "landmarks.custom.normalise=[0, 1]",
    ])
    .unwrap();
    assert_eq!(config.landmarks.scheme().unwrap().len(), 3);
}

#[test]
fn bad_sets_are_explained() {
    assert_names(&set_error("train.epochs"), &["key.path=value"]);
    assert_names(
        &set_error("train.epoch=3"),
        &["--set", "train.epoch", "`epochs`"],
    );
    assert_names(&set_error("train..epochs=3"), &["empty name"]);
    assert_names(&set_error("train.epochs.x=3"), &["train.epochs", "single"]);
    assert_names(&set_error("train.epochs=many"), &["train.epochs", "many"]);
    assert_names(&set_error("data.train.first=1"), &["data.train", "index"]);
    assert_names(&set_error("data.train.4.weight=1"), &["data.train", "4"]);
    assert_names(&set_error("detect.score=7"), &["detect.score", "0 to 1"]);
    assert_names(&set_error("seed=[1"), &["seed=[1", "YAML"]);
}

#[test]
fn a_missing_file_is_named() {
    let e = Config::load(Some(Path::new("no/such.yaml")), &[]).unwrap_err();
    assert_names(&format!("{e:#}"), &["no/such.yaml"]);
}

#[test]
fn errors_in_a_file_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.yaml");
    std::fs::write(&file, "train: {epoch: 3}").unwrap();
    let e = Config::load(Some(&file), &[]).unwrap_err();
    assert_names(&format!("{e:#}"), &["mine.yaml", "train.epoch"]);
}

#[test]
fn relative_paths_stay_relative_to_the_working_directory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.yaml");
    std::fs::write(&file, "train: {out: runs/a}").unwrap();
    let config = Config::load(Some(&file), &[]).unwrap();
    assert_eq!(config.train.out, Path::new("runs/a"));
}
