//! Training in 8 bits: `train.quantize_after`, and what `pack` makes of it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use retinamark::config::{BackboneKind, Config, Task};
use retinamark::data::Dataset;
use retinamark::imaging;
use retinamark::model::weights::{self, Networks};
use retinamark::model::{Aligner, InputRanges, Network, Range, RetinaFace};
use retinamark::train::Trainer;
use retinamark::train::checkpoint::Checkpoint;
use retinamark_core::calibrate;
use retinamark_core::engine::{Engine, Image, Isa};
use retinamark_core::graph::Weights;
use retinamark_core::infer::Program;

use super::overfit;
use super::run::{run, stderr, toy_config, write_config};
use crate::support::{drawn_faces, tempdir};

const SIZE: [usize; 2] = [64, 64];

fn config(task: Task, backbone: BackboneKind, batch_norm: bool) -> Config {
    let mut config = Config {
        task,
        ..Config::default()
    };
    config.input.std = vec![64.0; 3];
    config.model.backbone = backbone;
    config.model.batch_norm = batch_norm;
    config.model.neck_channels = 32;
    config.model.landmark_tower_layers = 1;
    config.model.landmark_tower_channels = 16;
    config.aligner.side = SIZE[0] as u32;
    config.aligner.heatmap_channels = 16;
    config
}

/// Smooth, as photos are.
fn crop(seed: u64) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let waves: [[f32; 3]; 3] = std::array::from_fn(|_| rng.random());
    RgbImage::from_fn(SIZE[1] as u32, SIZE[0] as u32, |x, y| {
        Rgb(waves.map(|[a, b, c]| {
            let phase = (x as f32 * a + y as f32 * b) * 0.5 + c * 6.0;
            (127.0 + 120.0 * phase.sin()) as u8
        }))
    })
}

fn images(crops: &[RgbImage], config: &Config, device: &Device) -> Tensor<4> {
    let length = 3 * SIZE[0] * SIZE[1];
    let mut numbers = vec![0.0; crops.len() * length];
    for (crop, out) in crops.iter().zip(numbers.chunks_mut(length)) {
        imaging::fill_tensor(crop, &config.input, SIZE, out);
    }
    let data = TensorData::new(numbers, [crops.len(), 3, SIZE[0], SIZE[1]]);
    Tensor::from_data(data, device)
}

fn unseen(program: &Program) -> InputRanges {
    let names = program.byte_convs().unwrap().into_iter();
    names.map(|name| (name, Range::default())).collect()
}

/// What the executor gives for the first crop.
fn executed(program: &Program, weights: &Weights, crop: &RgbImage, name: &str) -> Vec<f32> {
    let describe = program.describe.clone();
    let engine = Engine::new(
        move |shape| describe(shape),
        program.sample,
        weights,
        program.normalise,
        Isa::best(),
    );
    let image = Image::Rgb {
        pixels: crop.as_raw(),
        size: SIZE,
    };
    let outputs = engine.unwrap().run(&[image], SIZE).unwrap();
    outputs.rows(name, 0).unwrap().to_vec()
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec::<f32>().unwrap()
}

/// Random starts of a network, at most.
const STARTS: usize = 16;

/// Root of the mean square of the difference, relative to the one of `expected`.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let pairs = found.iter().zip(expected);
    let error = square(&mut pairs.map(|(a, b)| a - b));
    (error / square(&mut expected.iter().copied())).sqrt()
}

/// Trains in 8 bits on some crops; the packed network then computes what training computed, and the
/// same weights in 32 bits compute something else. A sum half way between two bytes may become
/// either, of which deep networks make much: one of a few starts has none such.
fn assert_packed_as_trained<N: Network>(
    config: &Config,
    output: &str,
    forward: impl Fn(&N, Tensor<4>) -> Tensor<2>,
) {
    let what = format!("{:?}, {:?}, {output}", config.task, config.model.backbone);
    let mut found = (0..STARTS).map(|_| error_and_effect(config, output, &forward, &what));
    assert!(
        found.any(|(error, effect)| error < 1e-3 && effect > 5.0 * error),
        "{what}"
    );
}

/// How far the packed network is from what training computed, and how far 32 bits are.
fn error_and_effect<N: Network>(
    config: &Config,
    output: &str,
    forward: &impl Fn(&N, Tensor<4>) -> Tensor<2>,
    what: &str,
) -> (f32, f32) {
    let device = Device::flex().autodiff();
    let model = N::new(config, &device).unwrap();
    let crops: Vec<RgbImage> = (0..4).map(crop).collect();
    let batch = images(&crops, config, &device);
    for _ in 0..30 {
        forward(&model, batch.clone()); // batch norms measure
    }
    let program = N::program(&config.settings()).unwrap();
    let whole = model.valid().weights().unwrap();
    let whole = executed(&program, &whole, &crops[0], output);

    let model = model.in_bytes(unseen(&program));
    let [trained, again] = [0, 1].map(|_| {
        let outputs = forward(&model, batch.clone());
        numbers(outputs.narrow(0, 0, 1))
    });
    assert_eq!(trained, again, "{what}: norms or ranges have moved");
    let weights = model.valid().weights().unwrap();
    let ranges = weights.input_ranges().unwrap();
    assert_eq!(ranges.len(), program.byte_convs().unwrap().len(), "{what}");
    let packed = calibrate::of_ranges(&program, &weights).unwrap();
    let found = executed(&program, &packed, &crops[0], output);
    (difference(&found, &trained), difference(&whole, &trained))
}

#[test]
fn what_is_packed_computes_what_was_trained() {
    let backbones = [
        (BackboneKind::MobilenetV1, true),
        (BackboneKind::MobilenetV3Large, true),
        (BackboneKind::Resnet18, true),
        (BackboneKind::Plain, false),
    ];
    for (backbone, batch_norm) in backbones {
        let aligner = config(Task::Align, backbone, batch_norm);
        assert_packed_as_trained(&aligner, "deltas", |model: &Aligner, x| {
            model.forward(x).deltas
        });
        let detector = config(Task::Detect, backbone, batch_norm);
        assert_packed_as_trained(&detector, "logits", |model: &RetinaFace, x| {
            model.forward(x).logits.flatten(1, 2)
        });
    }
}

#[test]
fn burn_keeps_8_bits_when_norms_are_folded() {
    let config = config(Task::Align, BackboneKind::MobilenetV1, true);
    let device = Device::flex().autodiff();
    let program = Aligner::program(&config.settings()).unwrap();
    let model = Aligner::new(&config, &device)
        .unwrap()
        .in_bytes(unseen(&program));
    model.forward(images(&[crop(1)], &config, &device));
    let model = model.valid();
    let x = images(&[crop(2)], &config, &Device::flex());
    let deltas = |model: &Aligner| numbers(model.forward(x.clone()).deltas);
    let before = model.input_ranges();
    let (plain, folded) = (deltas(&model), deltas(&model.clone().fold().unwrap()));
    assert!(difference(&folded, &plain) < 1e-3);
    // What does not learn moves no range.
    assert_eq!(model.input_ranges(), before);
}

#[test]
fn a_network_goes_on_learning_in_8_bits() {
    const STEPS: usize = 160;
    const AFTER: usize = 60;
    let folder = tempdir();
    let mut config = overfit::config();
    config.train.epochs = STEPS;
    config.train.quantize_after = AFTER;
    let samples = drawn_faces(folder.path(), 4, overfit::SIDE as u32, [34.0, 50.0]);
    let batch = overfit::batch(&samples, &config);
    let dataset = Arc::new(Dataset::from_samples(samples, &config));
    let device = Device::flex().autodiff();
    device.seed(1);
    let model = RetinaFace::new(&config, &device).unwrap();
    let mut trainer = Trainer::new(&config, dataset, model, &device).unwrap();
    let mut losses = Vec::new();
    let mut steps = |trainer: &mut Trainer<RetinaFace>, count| {
        let batches = std::iter::repeat_with(|| Ok(batch.clone())).take(count);
        let after_step = |_: &_, figures: &retinamark::train::figures::Figures| {
            losses.push(figures.loss("loss").unwrap());
            Ok(())
        };
        trainer.train_on(batches, after_step).unwrap();
    };
    steps(&mut trainer, AFTER);
    assert!(trainer.checkpoint().state.ranges.is_none());
    trainer.offer_best(retinamark::train::checkpoint::Best {
        badness: 0.0,
        epoch: 1,
    });
    let averaged = trainer.checkpoint().ema;
    steps(&mut trainer, STEPS - AFTER);
    assert!(trainer.best().is_none(), "the best of another network");
    let (first, last) = (
        losses[AFTER],
        losses[STEPS - 10..].iter().sum::<f64>() / 10.0,
    );
    assert!(last < 0.5 * first, "from {first} to {last}");

    let end = trainer.checkpoint();
    let ranges = end.state.ranges.unwrap();
    assert!(
        ranges
            .values()
            .all(|range| range.batches == (STEPS - AFTER) as u64)
    );
    // Statistics stay what they were on the average; all else has learned on.
    let entries = trainer.layout().entries().iter();
    for entry in entries.filter(|entry| entry.name.starts_with("backbone")) {
        let same = end.weights[entry.range()] == averaged[entry.range()];
        assert_eq!(same, entry.name.contains("running_"), "{}", entry.name);
    }
}

fn epochs(trainer: &mut Trainer<RetinaFace>, count: usize) {
    for _ in 0..count {
        trainer.train_one_epoch(|_, _| Ok(())).unwrap();
        trainer.finish_epoch();
    }
}

#[test]
fn a_run_resumed_in_8_bits_ends_as_an_uninterrupted_one() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.train.quantize_after = 3;
    let path = folder.path().join("checkpoint.safetensors");
    let mut whole = super::run::trainer(&config);
    epochs(&mut whole, 3);
    let mut first = super::run::trainer(&config);
    epochs(&mut first, 2);
    let checkpoint: Checkpoint = first.checkpoint();
    assert!(checkpoint.state.ranges.is_some());
    checkpoint.save(first.layout(), &config, &path).unwrap();
    let mut second = super::run::trainer(&config);
    second.restore(&path).unwrap();
    epochs(&mut second, 1);
    let (resumed, expected) = (second.checkpoint(), whole.checkpoint());
    assert_eq!(resumed.state.ranges, expected.state.ranges);
    assert_eq!(resumed.weights, expected.weights);
    assert_eq!(resumed.ema, expected.ema);

    config.train.quantize_after = 6;
    let dataset = Arc::new(Dataset::load(&config.data.train, &config).unwrap());
    let device = Device::flex().autodiff();
    let model = RetinaFace::new(&config, &device).unwrap();
    let error = Trainer::new(&config, dataset, model, &device)
        .err()
        .unwrap();
    assert!(error.to_string().contains("quantize_after"), "{error}");
}

fn pack(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
    let output = command.arg("pack").args(arguments).output().unwrap();
    let text = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b).into_owned());
    (output.status.success(), text.concat())
}

#[test]
fn a_run_in_8_bits_is_packed_without_photos() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = write_config(&config, folder.path());
    let sets = ["train.epochs=2", "train.quantize_after=2"];
    let output = run(&path, &["--set", sets[0], "--set", sets[1]]);
    let text = stderr(&output);
    assert!(
        output.status.success() && text.contains("after step 2 in 8 bits"),
        "{text}"
    );

    let at = |name: &str| folder.path().join(name).display().to_string();
    let (trained, packed) = (at("out/final.safetensors"), at("packed.safetensors"));
    let arguments = ["-w", &trained, "--int8", "--out", &packed];
    let list = format!("pts:{}", folder.path().display());
    let (done, text) = pack(&[&arguments[..], &["--calibrate", &list]].concat());
    assert!(!done && text.contains("leave it out"), "{text}");
    let (done, text) = pack(&arguments);
    assert!(
        done && text.contains("by the ranges of its training"),
        "{text}"
    );
    let networks = Networks::load(Path::new(&packed)).unwrap();
    let weights = networks.detector.as_ref().unwrap();
    assert!(weights.has_bytes() && !weights.has_ranges());
    assert_eq!(networks.header.format_version, 3);
    let sizes = [&trained, &packed].map(|path| fs::metadata(path).unwrap().len());
    assert!(sizes[1] < sizes[0], "{sizes:?}");

    // In 32 bits, the trained file is one as any other.
    let (model, mut config) = weights::load(Path::new(&trained), &Device::flex()).unwrap();
    assert!(model.input_ranges().is_none());
    config.init.weights = Some(trained.into());
    weights::initialise(model, &config).unwrap();
}
