//! Whole runs of `retinamark train` on toy photos.

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
fn a_resumed_run_ends_as_an_uninterrupted_one() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = folder.path().join("checkpoint.safetensors");
    let mut whole = trainer(&config);
    whole
        .checkpoint()
        .save(whole.layout(), &config, &path)
        .unwrap();
    for _ in 0..2 {
        assert_eq!(whole.train_one_epoch(|_, _| Ok(())).unwrap(), Ended::Done);
        whole.finish_epoch();
    }

    // The same, but stopped in the middle of the second epoch and started from the file.
    let mut first = trainer(&config);
    first.restore(&path).unwrap();
    first.train_one_epoch(|_, _| Ok(())).unwrap();
    first.finish_epoch();
    let stopped = first.train_one_epoch(|t, _| {
        anyhow::ensure!(t.position().batch < 2, "stop here");
        Ok(())
    });
    assert!(stopped.is_err());
    first
        .checkpoint()
        .save(first.layout(), &config, &path)
        .unwrap();
    let mut second = trainer(&config);
    assert_eq!(second.restore(&path).unwrap(), config);
    assert_eq!((second.position().epoch, second.position().batch), (1, 2));
    second.train_one_epoch(|_, _| Ok(())).unwrap();
    second.finish_epoch();

    let (a, b) = (whole.checkpoint(), second.checkpoint());
    assert_eq!(a.state.position, b.state.position);
    assert_eq!(a.optimizer.updates, b.optimizer.updates);
    let slot = |of: &Checkpoint, at: usize| of.optimizer.slots[at].values.clone();
    for (name, a, b) in [
        ("weights", a.weights.clone(), b.weights.clone()),
        ("average", a.ema.clone(), b.ema.clone()),
        ("first moment", slot(&a, 0), slot(&b, 0)),
        ("second moment", slot(&a, 1), slot(&b, 1)),
    ] {
        let worst = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 1e-6, "{name}: {worst}");
    }
}

#[test]
fn checkpoints_of_other_models_and_damaged_ones_are_refused() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let mut small = trainer(&config);
    let path = folder.path().join("checkpoint.safetensors");
    small
        .checkpoint()
        .save(small.layout(), &config, &path)
        .unwrap();
    let mut other = config.clone();
    other.model.se_reduction = 0;
    let error = format!("{:#}", trainer(&other).restore(&path).unwrap_err());
    assert!(error.contains("another model"), "{error}");

    let mut sgd = config.clone();
    sgd.optimizer.kind = OptimizerKind::Sgd(Sgd::default());
    let error = format!("{:#}", trainer(&sgd).restore(&path).unwrap_err());
    assert!(error.contains("optimizer.kind"), "{error}");

    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Checkpoint::load(&path, small.layout()).unwrap_err();
    assert!(format!("{error:#}").contains("checkpoint.safetensors"));
}

/// Their tensors had the kind of backbone in their names, the velocity of SGD was called a first
/// moment, and all settings stood in the config, whatever the kinds.
#[test]
fn checkpoints_of_older_programs_still_load() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.optimizer.kind = OptimizerKind::Sgd(Sgd::default());
    let mut trainer = trainer(&config);
    trainer.train_one_epoch(|_, _| Ok(())).unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let checkpoint = trainer.checkpoint();
    checkpoint.save(trainer.layout(), &config, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let older = |name: &str| {
        name.replace("/backbone.", "/backbone.MobilenetV1.")
            .replace("velocity/", "first/")
    };
    let tensors: Vec<_> = file
        .iter()
        .map(|(name, view)| (older(name), view))
        .collect();
    for name in
        ["ema", "first"].map(|group| format!("{group}/backbone.MobilenetV1.stem.conv.weight"))
    {
        assert!(tensors.iter().any(|(found, _)| *found == name), "{name}");
    }
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata = header.metadata().clone().unwrap();
    metadata.insert("format".into(), "retinamark checkpoint 2".into());
    let all = "betas: [0.9, 0.999]\n  epsilon: 1.0e-8\n  momentum:";
    let text = metadata["config"].replace("momentum:", all);
    metadata.insert("config".into(), text);
    let older = safetensors::serialize(tensors, Some(metadata)).unwrap();
    let (loaded, saved) = Checkpoint::parse(&older, trainer.layout()).unwrap();
    assert_eq!(saved, config);
    assert_eq!(loaded.weights, checkpoint.weights);
    assert_eq!(loaded.ema, checkpoint.ema);
    assert_eq!(loaded.optimizer, checkpoint.optimizer);
    assert_eq!(loaded.state.position, checkpoint.state.position);
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
