//! The kinds of work, each set up once and then run many times.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use image::RgbImage;

use crate::commands::detect::progress::Progress;
use crate::commands::detect::run::{Crew, Desk, Shared};
use crate::commands::detect::sources::Photo;
use crate::commands::detect::summary::Tally;
use crate::commands::detect::work::{Outputs, Worker};
use crate::config::Config;
use crate::data::{Batch, Dataset, FaceLabel, Loader, Sample};
use crate::geometry::{BoxXyxy, Landmarks};
use crate::imaging::{self, Limits};
use crate::infer::{Around, Clock, Compute, DetectOptions, InputSize, Predictor};
use crate::loss::Learn;
use crate::model::weights::Networks;
use crate::optim::Optimizer;
use crate::output::{Journal, Settings};
use crate::task;

/// Width and height of the photo that is drawn where none is given, pixels.
const DRAWN: [u32; 2] = [1280, 960];

/// What to measure.
pub struct Plan {
    /// On `device`, for inference.
    pub networks: Networks,
    /// Without autodiff.
    pub compute: Compute,
    /// Side of the input.
    pub size: u32,
    /// Images at a time.
    pub batch: usize,
}

impl Plan {
    fn config(&self) -> &Config {
        &self.networks.header.config
    }
}

/// The network alone. Landmarks are computed where faces are found, so not here.
pub fn forward(plan: Plan) -> Result<impl FnMut() -> Result<()>> {
    let image = drawn([plan.size; 2]);
    let images = vec![image; plan.batch];
    let predictor = Predictor::of_networks(&plan.networks, plan.compute)?;
    Ok(move || Ok(predictor.forward(&images)?))
}

/// From a file to the line with its faces, `batch` files at a time, as `retinamark detect` does it;
/// `clock` tells where the time goes.
pub fn detect(
    plan: Plan,
    photo: Option<&Path>,
    clock: Clock,
) -> Result<impl FnMut() -> Result<()>> {
    let options = DetectOptions {
        size: InputSize::Fixed(plan.size),
        ..DetectOptions::from(&plan.config().detect)
    };
    let batch = plan.batch;
    let mut predictor = Predictor::of_networks(&plan.networks, plan.compute)?;
    predictor.set_clock(clock);
    let folder = tempfile::tempdir()?;
    let path = match photo {
        Some(photo) => photo.to_path_buf(),
        None => drawn_file(folder.path())?,
    };
    let photo = move |place| Photo {
        relative: format!("{place}.jpg").into(),
        path: path.clone(),
        place,
    };
    let (threads, progress) = (rayon::current_num_threads(), Progress::new());
    let crew = Crew::new(batch.min(threads), threads)?;
    let journal = Shared::new(Journal::start(folder.path(), true, &Settings::new())?);
    Ok(move || {
        let (none, limits) = (Outputs::default(), Limits::default());
        let worker = Worker::new(&predictor, options, none, folder.path(), limits, threads);
        let mut tally = Tally::default();
        let mut desk = Desk {
            journal: &journal,
            progress: &progress,
            tally: &mut tally,
        };
        crew.work(&worker, &mut (0..batch).map(&photo), &mut desk)?;
        ensure!(tally.failed == 0, "the photo cannot be used");
        Ok(())
    })
}

/// The second look at `batch` faces of one photo, each a tenth of its width.
pub fn align(plan: Plan, photo: Option<&Path>) -> Result<impl FnMut() -> Result<()>> {
    let folder = tempfile::tempdir()?;
    let photo = match photo {
        Some(photo) => photo.to_path_buf(),
        None => drawn_file(folder.path())?,
    };
    let image = imaging::load_rgb(&photo, &Limits::default())?;
    let side = image.width() as f32 * 0.1;
    let boxes: Vec<BoxXyxy> = (0..plan.batch)
        .map(|i| BoxXyxy::from_xywh((i % 9) as f32 * side, (i / 9 % 5) as f32 * side, side, side))
        .collect();
    let predictor = Predictor::of_networks(&plan.networks, plan.compute)?;
    Ok(move || Ok(predictor.align(&image, &boxes, Around::Face).map(drop)?))
}

/// A picture with some detail everywhere, as photos have it.
fn drawn([width, height]: [u32; 2]) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = ((x * x / 97 + y * y / 61) % 256) as u8;
        image::Rgb([wave, (x / 5) as u8, (y / 4) as u8 ^ (wave / 8)])
    })
}

/// The same as a JPEG.
fn drawn_file(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("drawn.jpg");
    drawn(DRAWN).save(&path)?;
    Ok(path)
}

/// A training step on one batch, data preparation left out.
pub fn train<N: Learn>(plan: Plan) -> Result<impl FnMut() -> Result<()>> {
    let device = plan.compute.device.clone().autodiff();
    let config = training(&plan)?;
    let batch = batch(&config)?;
    let sides = [batch.names.len(), 3, batch.side, batch.side];
    let images = Tensor::from_data(TensorData::new(batch.images, sides), &device); // [B,3,S,S]
    let rate = config.optimizer.learning_rate;
    let parts: Vec<&str> = config.optimizer.freeze.iter().map(String::as_str).collect();
    let mut model = N::new(&config, &device)?;
    if !parts.is_empty() {
        model = model.freeze_parts(&parts)?;
    }
    let mut optimizer = Optimizer::new(&config.optimizer, &model);
    let loss = N::loss(&config)?;
    Ok(move || {
        let losses = model.losses(&loss, images.clone(), &batch.targets)?;
        let gradients = GradientsParams::from_grads(losses.total.backward(), &model);
        optimizer.accumulate(&model, &gradients);
        (model, _) = optimizer.step(model.clone(), rate);
        Ok(())
    })
}

/// The settings of a run whose epochs are one batch.
fn training(plan: &Plan) -> Result<Config> {
    let mut config = plan.config().clone();
    config.train.crop = plan.size;
    config.train.batch_size = plan.batch;
    config.train.samples_per_epoch = plan.batch;
    config.data.workers = 1;
    let side = task::of(config.task).crop_side(&config);
    ensure!(
        side == plan.size,
        "the network learns crops of {side} pixels only: leave --size out"
    );
    Ok(config)
}

/// As training gets it, of a photo with three faces.
fn batch(config: &Config) -> Result<Batch> {
    let folder = tempfile::tempdir()?;
    let photo = Sample {
        path: drawn_file(folder.path())?,
        name: "drawn".into(),
        faces: faces(config.landmarks.scheme()?.len()),
        complete: true,
        source: 0,
    };
    let photos = Dataset::from_samples(vec![photo], config).for_training(config)?;
    let mut batches = Loader::epoch(&Arc::new(photos), config, 0, 0);
    batches.next().context("an epoch without a batch")?
}

/// An eighth, a quarter and half as high as the drawn photo, with this many points.
fn faces(points: usize) -> Vec<FaceLabel> {
    let [_, height] = DRAWN.map(|side| side as f32);
    let face = |(from, share): (f32, f32)| {
        let [start, side] = [from, share].map(|share| share * height);
        let at = |i: usize| start + (i as f32 + 0.5) / points as f32 * side;
        FaceLabel {
            landmarks: Landmarks::all((0..points).map(|i| [at(i); 2])),
            ..FaceLabel::boxed(BoxXyxy::from_xywh(start, start, side, side))
        }
    };
    [(0.1, 0.125), (0.3, 0.25), (0.45, 0.5)].map(face).into()
}
