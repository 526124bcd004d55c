//! Sections whose kind decides which settings they have.

use retinamark::config::{
    AdamW, Added, Config, Cosine, L1, LandmarkLossKind, Multiplied, OptimizerKind, PoseLossKind,
    ScheduleKind, Sgd, SoftWing, Wing,
};
use retinamark::kinds::{Kinds, Settings};

use super::{assert_names, error, set_error};

#[test]
fn settings_of_another_kind_are_errors_that_name_it() {
    assert_names(
        &error("optimizer: {momentum: 0.5}"),
        &["optimizer.momentum", "sgd, rmsprop", "not of adamw"],
    );
    assert_names(
        &error("loss: {landmark: {kind: awing, width: 0.5}}"),
        &[
            "loss.landmark.width",
            "wing, euclidean_wing",
            "not of awing",
        ],
    );
    assert_names(
        &error("schedule: {kind: constant, floor: 0.5}"),
        &["schedule.floor", "cosine", "not of constant"],
    );
    assert_names(
        &error("optimizer: {kind: adams}"),
        &["optimizer.kind", "`adams`", "`adam`", "`angular_grad`"],
    );
    assert_names(
        &error("schedule: {kind: 3}"),
        &["schedule.kind", "`cosine`"],
    );
    assert_names(
        &error("optimizer: {kind: adam, betas: [0.9, x]}"),
        &["optimizer.betas[1]", "x"],
    );
    assert_names(
        &error("optimizer: {kind: sgd, momentun: 0.5}"),
        &["optimizer.momentun", "`momentum`", "`learning_rate`"],
    );
    assert!(!error("optimizer: {kind: sgd, momentun: 0.5}").contains("betas"));
    assert_names(
        &set_error("optimizer.momentum=0.5"),
        &["--set", "optimizer.momentum"],
    );
}

#[test]
fn every_kind_is_read_with_its_defaults_and_survives_yaml() {
    let check = |config: Config| {
        let again = Config::from_yaml(&config.to_yaml().unwrap()).unwrap();
        assert_eq!(again, config);
    };
    for name in OptimizerKind::NAMES {
        let config = Config::from_yaml(&format!("optimizer: {{kind: {name}}}")).unwrap();
        let expected = OptimizerKind::with(name, Settings::new()).unwrap();
        assert_eq!(config.optimizer.kind, expected);
        check(config);
    }
    for name in LandmarkLossKind::NAMES {
        // The name alone says as much.
        let config = Config::from_yaml(&format!("loss: {{landmark: {name}}}")).unwrap();
        let long = Config::from_yaml(&format!("loss: {{landmark: {{kind: {name}}}}}")).unwrap();
        assert_eq!(config, long);
        let expected = LandmarkLossKind::with(name, Settings::new()).unwrap();
        assert_eq!(config.loss.landmark, expected);
        check(config);
    }
    for name in ScheduleKind::NAMES {
        let config = Config::from_yaml(&format!("schedule: {{kind: {name}}}")).unwrap();
        assert_eq!(config.schedule.kind.name(), *name);
        check(config);
    }
}

/// A file of all settings, such as `config.yaml`, does not stand in the way of another kind.
#[test]
fn another_kind_takes_the_settings_of_the_one_before_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    let mut config = Config::default();
    config.optimizer.weight_decay = 0.25;
    std::fs::write(&file, config.to_yaml().unwrap()).unwrap();
    let load = |sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|s| (*s).to_owned()).collect();
        Config::load(Some(&file), &sets)
    };
    // In whatever order.
    let config = load(&["optimizer.momentum=0.5", "optimizer.kind=sgd"]).unwrap();
    let sgd = Sgd {
        momentum: 0.5,
        ..Sgd::default()
    };
    assert_eq!(config.optimizer.kind, OptimizerKind::Sgd(sgd));
    assert_eq!(config.optimizer.weight_decay, 0.25);
    let config = load(&["loss.landmark.kind=awing", "loss.landmark.omega=3"]).unwrap();
    assert_eq!(config.loss.landmark.name(), "awing");
    assert!(load(&["loss.landmark=chain"]).is_ok());
    // The same kind again changes nothing.
    let config = load(&["optimizer.epsilon=0.5", "optimizer.kind=adamw"]).unwrap();
    let adamw = AdamW {
        epsilon: 0.5,
        ..AdamW::default()
    };
    assert_eq!(config.optimizer.kind, OptimizerKind::AdamW(adamw));
    assert!(load(&["optimizer.momentum=0.5"]).is_err());
}

#[test]
fn the_loss_of_poses_is_a_kind() {
    let pose = |yaml: &str| Config::from_yaml(yaml).map(|config| config.loss.pose);
    let added = |weight| PoseLossKind::Added(Added { weight });
    assert_eq!(pose("loss: {}").unwrap(), added(1.0));
    assert_eq!(pose("loss: {pose: {weight: 0.5}}").unwrap(), added(0.5));
    let multiplied = PoseLossKind::Multiplied(Multiplied {});
    assert_eq!(pose("loss: {pose: multiplied}").unwrap(), multiplied);
    assert_names(
        &error("loss: {pose: {kind: multiplied, weight: 2}}"),
        &["loss.pose.weight", "added", "multiplied"],
    );
}

#[test]
fn a_chain_needs_parts() {
    let with = |scheme: &str| format!("loss: {{landmark: chain}}\nlandmarks: {scheme}");
    assert!(Config::from_yaml(&with("{scheme: ibug68}")).is_ok());
    assert_names(
        &error(&with("{scheme: five}")),
        &["loss.landmark.kind", "chain", "landmarks.custom.parts"],
    );
    let custom = |parts: &str| {
        with(&format!(
            "{{scheme: custom, custom: {{points: 3, normalise: [0, 1], parts: {parts}}}}}"
        ))
    };
    assert!(Config::from_yaml(&custom("[[0, 1, 2]]")).is_ok());
    assert_names(
        &error(&custom("[[0, 3]]")),
        &["landmarks", "[0, 3]", "below 3"],
    );
}

/// Runs and weights of before hold the settings of all kinds.
#[test]
fn files_of_older_programs_are_read() {
    let schedule = "floor: 0.25, milestones: [0.5], gamma: 0.5, cycle_epochs: 3, cycle_mult: 1";
    let config = Config::from_yaml(&format!(
        "optimizer: {{kind: sgd, momentum: 0.5, betas: [0.5, 0.5], epsilon: 1, clip_norm: 3}}\n\
         schedule: {{kind: cosine, warmup_steps: 7, {schedule}}}"
    ))
    .unwrap();
    let sgd = Sgd {
        momentum: 0.5,
        ..Sgd::default()
    };
    assert_eq!(config.optimizer.kind, OptimizerKind::Sgd(sgd));
    assert_eq!(config.optimizer.clip_norm, 3.0);
    let cosine = ScheduleKind::Cosine(Cosine { floor: 0.25 });
    assert_eq!(
        (config.schedule.kind, config.schedule.warmup_steps),
        (cosine, 7)
    );
    let landmark = |yaml: &str| Config::from_yaml(yaml).unwrap().loss.landmark;
    let wing = LandmarkLossKind::Wing(Wing {
        width: 3.0,
        epsilon: 0.25,
    });
    let all = "wing_w: 3, soft_wing_outer: 7, wing_epsilon: 0.25";
    assert_eq!(landmark(&format!("loss: {{{all}}}")), wing);
    assert_eq!(landmark(&format!("loss: {{landmark: wing, {all}}}")), wing);
    let soft_wing = LandmarkLossKind::SoftWing(SoftWing {
        inner: 3.0,
        outer: 7.0,
        epsilon: 0.25,
    });
    assert_eq!(
        landmark(&format!("loss: {{landmark: soft_wing, {all}}}")),
        soft_wing
    );
    assert_eq!(
        landmark(&format!("loss: {{landmark: l1, {all}}}")),
        LandmarkLossKind::L1(L1 {})
    );
    assert_names(&error("loss: {landmark: l1, wing_w: 3}"), &["loss.wing_w"]);
}
