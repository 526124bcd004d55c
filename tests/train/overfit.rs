//! The proof that the whole chain can learn: four faces, learned by heart, are found again.

use std::sync::Arc;

use burn::tensor::Device;
use retinamark::anchors::{Anchors, TargetBuilder, Truth};
use retinamark::config::{
    AssignerKind, Atss, BackboneKind, BoxKind, BoxLoss, ChannelOrder, Config, Family, HeadConfig,
    HeadKind,
};
use retinamark::data::{Batch, Dataset, FaceLabel, Sample};
use retinamark::evaluation;
use retinamark::imaging;
use retinamark::infer::Predictor;
use retinamark::model::{Network, RetinaFace};
use retinamark::train::Trainer;

use crate::support::{drawn_faces, tempdir};

pub const SIDE: usize = 64;
const STEPS: usize = 500;

pub fn config() -> Config {
    Config::from_yaml(
        "model: {neck_channels: 32, se_reduction: 8}\n\
         train: {epochs: 1, batch_size: 4, crop: 64}\n\
         optimizer: {learning_rate: 0.004, ema_decay: 0.95, weight_decay: 0}\n\
         schedule: {warmup_steps: 20}\n\
         detect: {size: 64}\n",
    )
    .unwrap()
}

pub fn batch(samples: &[Sample], config: &Config) -> Batch {
    let anchors = Anchors::generate(&config.anchors, [SIDE as u32; 2]);
    let builder = TargetBuilder::new(config).unwrap();
    let limits = imaging::Limits::default();
    let length = config.input.channel_order.channels() * SIDE * SIDE;
    let mut images = vec![0.0; 4 * length];
    for (sample, out) in samples.iter().zip(images.chunks_mut(length)) {
        let photo = imaging::load_rgb(&sample.path, &limits).unwrap();
        imaging::fill_tensor(&photo, &config.input, [SIDE; 2], out);
    }
    let targets = samples.iter().map(|sample| {
        let truths: Vec<Truth> = sample.faces.iter().map(FaceLabel::truth).collect();
        builder.build(&anchors, &truths, true).unwrap()
    });
    Batch {
        images,
        side: SIDE,
        names: samples.iter().map(|s| Arc::clone(&s.name)).collect(),
        faces: samples.iter().map(|s| s.faces.clone()).collect(),
        targets: targets.collect(),
    }
}

#[test]
fn four_faces_learned_by_heart_are_found_again() {
    let (first, last) = found_again(&config());
    assert!(last < 0.01 * first, "from {first} to {last}");
}

#[test]
fn heads_that_tell_quality_find_their_faces_too() {
    let mut config = config();
    config.head = HeadConfig {
        kind: HeadKind::Quality,
        boxes: BoxKind::Distances,
    };
    config.loss.boxes = BoxLoss::Diou;
    config.matcher.kind = AssignerKind::Atss(Atss::default());
    found_again(&config);
    // From random weights and without norms.
    config.model.family = Family::Scrfd;
    config.model.backbone = BackboneKind::Scrfd500m;
    config.input.mean = vec![127.5; 3];
    config.input.std = vec![64.0; 3];
    config.anchors.offset = 0.0;
    config.optimizer.learning_rate = 0.002;
    found_again(&config);
}

/// The loss at first and in the end of learning four faces, which then are all found.
fn found_again(config: &Config) -> (f64, f64) {
    let folder = tempdir();
    let samples = drawn_faces(folder.path(), 4, SIDE as u32, [34.0, 50.0]);
    let batch = batch(&samples, config);
    let dataset = Arc::new(Dataset::from_samples(samples, config));
    let device = Device::flex().autodiff();
    device.seed(1);
    let model = RetinaFace::new(config, &device).unwrap();
    let mut schedule = config.clone();
    schedule.train.epochs = STEPS;
    let mut trainer = Trainer::new(&schedule, Arc::clone(&dataset), model, &device).unwrap();

    let losses = learn_by_heart(&mut trainer, &batch, STEPS);

    let plain = Device::flex();
    let predictor = Predictor::new(trainer.averaged_model(), config, &plain).unwrap();
    let report = evaluation::run(&predictor, &dataset, &config.detect)
        .unwrap()
        .report;
    let all = report.alignment.expect("the faces have points").all;
    assert_eq!((all.faces, all.recall), (4, 1.0), "{all:?}");
    assert!(all.nme_joint < 0.05, "{all:?}");
    losses
}

#[test]
fn a_grey_network_without_norms_learns_a_batch() {
    let folder = tempdir();
    let mut config = config();
    config.model.batch_norm = false;
    config.input.channel_order = ChannelOrder::Grey;
    config.input.mean = vec![110.0];
    config.input.std = vec![64.0];
    let samples = drawn_faces(folder.path(), 4, SIDE as u32, [34.0, 50.0]);
    let batch = batch(&samples, &config);
    let dataset = Arc::new(Dataset::from_samples(samples, &config));
    let device = Device::flex().autodiff();
    device.seed(1);
    let model = RetinaFace::new(&config, &device).unwrap();
    let steps = 150;
    config.train.epochs = steps;
    let mut trainer = Trainer::new(&config, dataset, model, &device).unwrap();
    let (first, last) = learn_by_heart(&mut trainer, &batch, steps);
    assert!(first < 60.0, "{first}");
    assert!(last < 0.1 * first, "from {first} to {last}");
}

/// The loss of the first step, and the mean of the last ten.
fn learn_by_heart(trainer: &mut Trainer<RetinaFace>, batch: &Batch, steps: usize) -> (f64, f64) {
    let mut losses = Vec::new();
    let batches = std::iter::repeat_with(|| Ok(batch.clone())).take(steps);
    trainer
        .train_on(batches, |_, figures| {
            losses.push(figures.loss("loss").unwrap());
            Ok(())
        })
        .unwrap();
    (losses[0], losses[steps - 10..].iter().sum::<f64>() / 10.0)
}
