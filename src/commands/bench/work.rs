//! The kinds of work, each set up once and then run many times.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use image::RgbImage;

use crate::anchors::{Targets, TaskTargets, Truth};
use crate::commands::detect::progress::Progress;
use crate::commands::detect::run::{Crew, Desk, Shared};
use crate::commands::detect::sources::Photo;
use crate::commands::detect::summary::Tally;
use crate::commands::detect::work::{Outputs, Worker};
use crate::config::Config;
use crate::geometry::{BoxXyxy, Landmarks, Point};
use crate::imaging::{self, Limits};
use crate::infer::{Clock, Compute, DetectOptions, InputSize, Predictor};
use crate::loss::Learn;
use crate::model::weights::Networks;
use crate::optim::Optimizer;
use crate::output::{Journal, Settings};

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

    fn images(&self, device: &Device) -> Tensor<4> {
        let side = self.size as usize;
        let noise = Distribution::Uniform(-100.0, 100.0);
        let channels = self.config().input.channel_order.channels();
        Tensor::random([self.batch, channels, side, side], noise, device) // [B,C,S,S]
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
    Ok(move || Ok(predictor.align(&image, &boxes).map(drop)?))
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
    drawn([1280, 960]).save(&path)?;
    Ok(path)
}

/// A training step with a few faces in each image, data preparation left out.
pub fn train<N: Learn>(plan: Plan) -> Result<impl FnMut() -> Result<()>> {
    let device = plan.compute.device.clone().autodiff();
    let images = plan.images(&device);
    let config = plan.config().clone();
    let targets = vec![faces(&config, plan.size)?; plan.batch];
    let rate = config.optimizer.learning_rate;
    let parts: Vec<&str> = config.optimizer.freeze.iter().map(String::as_str).collect();
    let mut model = N::new(&config, &device)?;
    if !parts.is_empty() {
        model = model.freeze_parts(&parts)?;
    }
    let mut optimizer = Optimizer::new(&config.optimizer, &model);
    let loss = N::loss(&config)?;
    Ok(move || {
        let losses = model.losses(&loss, images.clone(), &targets)?;
        let gradients = GradientsParams::from_grads(losses.total.backward(), &model);
        optimizer.accumulate(&model, &gradients);
        (model, _) = optimizer.step(model.clone(), rate);
        Ok(())
    })
}

/// Targets of an image with a face an eighth, a quarter and half of its side.
fn faces(config: &Config, size: u32) -> Result<Targets> {
    let side = size as f32;
    let points = config.landmarks.scheme()?.len();
    let boxes = [(0.1, 0.125), (0.3, 0.25), (0.45, 0.5)].map(|(from, share)| BoxXyxy {
        x1: from * side,
        y1: from * side,
        x2: (from + share) * side,
        y2: (from + share) * side,
    });
    let landmarks = boxes.map(|b| {
        let at = |i: usize| (i as f32 + 0.5) / points as f32;
        let point = |i| -> Point { [b.x1 + at(i) * (b.x2 - b.x1), b.y1 + at(i) * (b.y2 - b.y1)] };
        Landmarks::all((0..points).map(point))
    });
    let truths: Vec<Truth> = boxes
        .into_iter()
        .zip(&landmarks)
        .map(|(box_xyxy, landmarks)| Truth {
            box_xyxy,
            landmarks,
            ignored: false,
            weight: 1.0,
        })
        .collect();
    TaskTargets::new(config, size)?.of(&truths, true)
}
