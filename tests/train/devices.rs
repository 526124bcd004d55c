//! What a step asks of its device: few reads.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use retinamark::config::{Config, Task};
use retinamark::data::{Batch, Dataset, Loader};
use retinamark::device::reads;
use retinamark::loss::Learn;
use retinamark::model::{Aligner, RetinaFace};
use retinamark::train::Trainer;

use super::run::toy_config;
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
    // Which negatives are the hardest is found out by the program.
    let config = small(folder.path(), Task::Detect);
    assert_eq!(reads_of_a_step::<RetinaFace>(&config), 2 * 2 + 1);
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
