//! What a step asks of its devices: few reads, and the same step on several of them.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use retinamark::config::{Config, Task};
use retinamark::data::{Batch, Dataset, Loader};
use retinamark::device::reads;
use retinamark::loss::Learn;
use retinamark::model::{Aligner, RetinaFace};
use retinamark::optim::Kind;
use retinamark::train::Trainer;
use retinamark::train::figures::Figures;

use super::run::{run, stderr, toy_config, write_config};
use crate::support::tempdir;

fn small(folder: &Path, task: Task) -> Config {
    let mut config = toy_config(folder);
    config.task = task;
    config.model.width_multiplier = 0.25;
    config.aligner.side = 64;
    config.optimizer.accumulate = 2;
    config
}

fn trainer<N: Learn>(config: &Config) -> (Trainer<N>, Vec<Batch>) {
    let device = Device::flex().autodiff();
    device.seed(config.seed);
    let photos = Dataset::load_training(config).unwrap();
    let photos = Arc::new(photos.for_training(config).unwrap());
    let batches = Loader::epoch(&photos, config, 0, 0).take(2);
    let batches = batches.map(Result::unwrap).collect();
    let model = N::new(config, &device).unwrap();
    (
        Trainer::new(config, photos, model, &device).unwrap(),
        batches,
    )
}

/// Reads of one step of two micro-batches.
fn reads_of_a_step<N: Learn>(config: &Config) -> u64 {
    let (mut trainer, batches) = trainer::<N>(config);
    let before = reads();
    let batches = batches.into_iter().map(Ok);
    trainer.train_on(batches, |_, _| Ok(())).unwrap();
    assert_eq!(trainer.position().step, 1);
    reads() - before
}

#[test]
fn a_step_reads_its_losses_and_its_gradients() {
    let folder = tempdir();
    let config = small(folder.path(), Task::Align);
    assert_eq!(reads_of_a_step::<Aligner>(&config), 2 + 1);
    // The hardest negatives are found on the device.
    let config = small(folder.path(), Task::Detect);
    assert_eq!(reads_of_a_step::<RetinaFace>(&config), 2 + 1);
}

#[test]
fn training_reads_devices_in_one_place() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // Inference and files of weights; `flex`, whose memory is the program's own.
    let allowed = ["infer/burn.rs", "model/tensors.rs", "ops/norm/mod.rs"];
    let calls = [
        ".into_data",
        ".to_data",
        ".into_scalar",
        "_to_vec_as",
        "into_vec_as",
    ];
    for entry in walkdir::WalkDir::new(&home) {
        let path = entry.unwrap().into_path();
        let name = path.strip_prefix(&home).unwrap().to_string_lossy();
        let name = name.replace('\\', "/");
        if !name.ends_with(".rs") || name.ends_with("tests.rs") || allowed.contains(&&*name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in calls {
            assert!(
                !code.contains(call),
                "{name} has {call}: read through device::Reading"
            );
        }
    }
}

/// Loss and weights, and running statistics, after one step on the first micro-batches, one on each
/// of the model's device and `others` at a time.
fn after_a_step<N: Learn>(config: &Config, others: Vec<Device>) -> [Vec<f32>; 2] {
    let (trainer, batches) = trainer::<N>(config);
    let mut trainer = trainer.with_devices(others).unwrap();
    let mut learned = Vec::new();
    let batches = batches.into_iter().take(config.optimizer.accumulate);
    let note = |_: &Trainer<N>, figures: &Figures| {
        learned.extend(figures.losses().map(|(_, loss)| loss as f32));
        Ok(())
    };
    trainer.train_on(batches.map(Ok), note).unwrap();
    assert_eq!(trainer.position().step, 1);
    let weights = trainer.checkpoint().weights;
    let mut measured = Vec::new();
    for entry in trainer.layout().entries() {
        match entry.kind {
            Kind::Statistic => measured.extend(&weights[entry.range()]),
            _ => learned.extend(&weights[entry.range()]),
        }
    }
    [learned, measured]
}

fn several_devices_make_the_same_step<N: Learn>(task: Task) {
    let folder = tempdir();
    let mut config = small(folder.path(), task);
    let [learned, measured] = after_a_step::<N>(&config, Vec::new());
    let other = Device::flex().autodiff();
    let [again, of_the_first] = after_a_step::<N>(&config, vec![other]);
    assert_eq!(learned, again);
    // What is kept was measured on one of two micro-batches.
    assert_ne!(measured, of_the_first);
    config.optimizer.accumulate = 1;
    let [_, of_one] = after_a_step::<N>(&config, Vec::new());
    assert_eq!(of_the_first, of_one);
}

#[test]
fn several_devices_make_the_same_step_of_a_detector() {
    several_devices_make_the_same_step::<RetinaFace>(Task::Detect);
}

#[test]
fn several_devices_make_the_same_step_of_an_aligner() {
    several_devices_make_the_same_step::<Aligner>(Task::Align);
}

#[test]
fn a_run_takes_several_devices_that_share_the_micro_batches() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = write_config(&config, folder.path());
    let more = ["--set", "train.epochs=1", "--device", "flex,flex"];
    let refused = run(
        &path,
        &[&more[..], &["--set", "optimizer.accumulate=3"]].concat(),
    );
    let message = stderr(&refused);
    assert!(!refused.status.success(), "{message}");
    assert!(message.contains("optimizer.accumulate is 3"), "{message}");
    let output = run(&path, &more);
    assert!(output.status.success(), "{}", stderr(&output));
    let starts = std::fs::read_to_string(folder.path().join("out/run.json")).unwrap();
    let starts: serde_json::Value = serde_json::from_str(&starts).unwrap();
    let device = starts[0]["host"]["device"].as_str().unwrap();
    assert_eq!(device.matches(", ").count(), 1, "{device}");
}
