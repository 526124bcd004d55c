//! Whole runs of `retinamark train` on toy photos.

mod checkpoints;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use retinamark::config::{Config, OptimizerKind, Sgd};
use retinamark::data::{Dataset, Loader};
use retinamark::model::{Network, RetinaFace};
use retinamark::optim::Kind;
use retinamark::train::checkpoint::Checkpoint;
use retinamark::train::{Ended, Trainer};

use crate::support::tempdir;

/// `count` photos, each with a bright square for a face whose 98 points form a grid, and a WFLW
/// list of them.
fn toy_photos(folder: &Path, prefix: &str, count: u32) -> PathBuf {
    let mut list = String::new();
    let look = prefix.len() as u32; // lists must not share photos
    for i in 0..count {
        let (x, y, side) = (8 + 3 * (i % 4), 6 + 2 * (i % 5), 40);
        let photo = RgbImage::from_fn(72, 64, |px, py| {
            let inside = px >= x && px < x + side && py >= y && py < y + side;
            let texture = ((px * 7 + py * (13 + look) + i * 31) % 60) as u8;
            Rgb([if inside { 180 + texture } else { texture }, texture, 90])
        });
        let name = format!("{prefix}_{i}.png");
        photo.save(folder.join(&name)).unwrap();
        for point in 0..98 {
            let at = [x + 4 + (point % 10) * 3, y + 4 + (point / 10) * 3];
            write!(list, "{} {} ", at[0], at[1]).unwrap();
        }
        let (right, bottom) = (x + side, y + side);
        writeln!(list, "{x} {y} {right} {bottom} 0 0 0 0 0 0 {name}").unwrap();
    }
    let path = folder.join(format!("{prefix}.txt"));
    fs::write(&path, list).unwrap();
    path
}

/// A config for toy photos in `folder`, which writes to `folder/out`.
pub fn toy_config(folder: &Path) -> Config {
    let train = toy_photos(folder, "train", 8);
    let validation = toy_photos(folder, "val", 2);
    let text = format!(
        "seed: 7\n\
         data:\n\
         \x20 train: [{{kind: wflw, list: {train}, images: {images}, complete: true}}]\n\
         \x20 validation: [{{kind: wflw, list: {validation}, images: {images}, complete: true}}]\n\
         \x20 workers: 2\n\
         train: {{out: {out}, epochs: 3, batch_size: 2, crop: 64}}\n\
         optimizer: {{accumulate: 2}}\n\
         schedule: {{warmup_steps: 2}}\n\
         snapshot: {{dir: {shots}, every_batches: 2, photos: 2}}\n\
         detect: {{size: 64}}\n",
        train = train.display(),
        validation = validation.display(),
        images = folder.display(),
        out = folder.join("out").display(),
        shots = folder.join("shots").display(),
    );
    Config::from_yaml(&text).unwrap()
}

pub fn write_config(config: &Config, folder: &Path) -> PathBuf {
    let path = folder.join("config.yaml");
    fs::write(&path, config.to_yaml().unwrap()).unwrap();
    path
}

fn command(config: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
    command.arg("train").arg("--config").arg(config).args(more);
    command
}

pub fn run(config: &Path, more: &[&str]) -> Output {
    command(config, more).output().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn trainer(config: &Config) -> Trainer<RetinaFace> {
    let device = Device::flex().autodiff();
    device.seed(config.seed);
    let dataset = Dataset::load(&config.data.train, config).unwrap();
    let model = RetinaFace::new(config, &device).unwrap();
    Trainer::new(config, Arc::new(dataset), model, &device).unwrap()
}

#[test]
fn a_run_leaves_logs_checkpoints_snapshots_and_weights() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = write_config(&config, folder.path());
    let output = run(
        &path,
        &["--set", "train.epochs=2", "--set", "train.keep_last=1"],
    );
    assert!(output.status.success(), "{}", stderr(&output));

    let out = folder.path().join("out");
    let steps = fs::read_to_string(out.join("steps.csv")).unwrap();
    assert_eq!(steps.lines().count(), 1 + 2 * 2, "{steps}"); // 4 batches, 2 a step
    assert!(steps.starts_with("step,epoch,learning_rate,loss,class,boxes,landmarks,"));
    let validation = fs::read_to_string(out.join("validation.csv")).unwrap();
    assert_eq!(validation.lines().count(), 3);
    assert!(validation.starts_with("step,epoch,recall,nme_joint,nme_matched,nme_median,fr,auc"));
    let saved = Config::from_yaml(&fs::read_to_string(out.join("config.yaml")).unwrap()).unwrap();
    assert_eq!(saved.train.epochs, 2);
    for file in [
        "out/final.safetensors",
        "out/best.safetensors",
        "out/checkpoints/best.safetensors",
        "out/checkpoints/step_000000004.safetensors",
        "shots/epoch_001_batch_00002.jpg",
        "shots/epoch_001_batch_00004.jpg",
        "shots/epoch_001_sheet.jpg",
        "shots/epoch_002_batch_00004.jpg",
        "shots/epoch_002_sheet.jpg",
    ] {
        assert!(folder.path().join(file).is_file(), "{file} is missing");
    }
    assert!(!out.join("checkpoints/step_000000002.safetensors").exists());

    let again = run(&path, &[]);
    assert!(!again.status.success());
    assert!(stderr(&again).contains("--resume"), "{}", stderr(&again));
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_a_checkpoint_to_resume_from() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.train.epochs = 500;
    let path = write_config(&config, folder.path());
    let mut child = command(&path, &[])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let steps = folder.path().join("out/steps.csv");
    let lines = || fs::read_to_string(&steps).map_or(0, |text| text.lines().count());
    while lines() < 4 {
        assert!(child.try_wait().unwrap().is_none(), "the run ended early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("--resume"));

    let done = lines() - 1;
    let epochs = format!("train.epochs={}", done / 2 + 1);
    let resumed = run(&path, &["--resume", "--set", &epochs]);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    assert!(
        stderr(&resumed).contains(&format!("step {done}")),
        "{}",
        stderr(&resumed)
    );
    let text = fs::read_to_string(&steps).unwrap();
    let numbers: Vec<usize> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=2 * (done / 2 + 1)).collect::<Vec<_>>());
    assert!(folder.path().join("out/final.safetensors").is_file());
}

#[test]
fn a_loss_that_is_not_finite_names_the_photos() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let mut trainer = trainer(&config);
    let dataset = Arc::new(Dataset::load(&config.data.train, &config).unwrap());
    let mut batches = Loader::epoch(&dataset, &config, 0, 0);
    let good = batches.next().unwrap().unwrap();
    let mut bad = batches.next().unwrap().unwrap();
    bad.images[0] = f32::NAN;
    let (names, before) = (bad.names.clone(), trainer.checkpoint().weights);
    let error = trainer.train_on([Ok(good), Ok(bad)].into_iter(), |_, _| Ok(()));
    let error = format!("{:#}", error.unwrap_err());
    for part in [
        "not finite",
        "class",
        "boxes",
        "landmarks",
        "epoch 1, batch 2",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(names.iter().all(|name| error.contains(&**name)), "{error}");
    let after = trainer.checkpoint().weights;
    for entry in trainer.layout().entries() {
        let learned = entry.kind != Kind::Statistic;
        assert!(!learned || before[entry.range()] == after[entry.range()]);
    }
}

#[test]
fn a_photo_in_both_lists_is_refused() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.data.validation = config.data.train.clone();
    let path = write_config(&config, folder.path());
    let output = run(&path, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("train_"), "{}", stderr(&output));
}

#[test]
fn the_backbone_rests_while_it_is_frozen() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.optimizer.freeze_backbone_epochs = 1;
    let mut trainer = trainer(&config);
    let backbone_moves = |trainer: &mut Trainer<RetinaFace>| {
        let before = trainer.checkpoint().weights;
        trainer.train_one_epoch(|_, _| Ok(())).unwrap();
        trainer.finish_epoch();
        let after = trainer.checkpoint().weights;
        let moved = |backbone: bool| {
            let mut entries = trainer.layout().entries().iter();
            entries.any(|e| {
                e.name.starts_with("backbone") == backbone && before[e.range()] != after[e.range()]
            })
        };
        assert!(moved(false));
        moved(true)
    };
    assert!(!backbone_moves(&mut trainer));
    assert!(backbone_moves(&mut trainer));
}

#[test]
fn parts_that_never_learn_stay_as_they_are() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    let frozen = ["backbone", "fpn", "ssh", "se", "class_heads", "box_heads"];
    config.optimizer.freeze = frozen.map(str::to_owned).to_vec();
    let mut model = trainer(&config);
    let before = model.checkpoint();
    model.train_one_epoch(|_, _| Ok(())).unwrap();
    let after = model.checkpoint();
    let mut learned = 0;
    for entry in model.layout().entries() {
        let changed = |a: &[f32], b: &[f32]| a[entry.range()] != b[entry.range()];
        if frozen.iter().any(|part| entry.name.starts_with(part)) {
            // Running statistics too, of the average as well: nothing that finds faces changes.
            assert!(!changed(&before.weights, &after.weights), "{}", entry.name);
            assert!(!changed(&before.ema, &after.ema), "{}", entry.name);
        } else {
            learned += usize::from(changed(&before.weights, &after.weights));
        }
    }
    assert!(learned > 0);
    config.optimizer.freeze = vec!["heads".into()];
    let error = trainer(&config).train_one_epoch(|_, _| Ok(())).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("heads") && error.contains("box_heads"),
        "{error}"
    );
}
