//! The kinds of work, each set up once and then run many times.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use image::RgbImage;
use rayon::prelude::*;

use crate::anchors::{AnchorCache, TargetBuilder, Targets, Truth};
use crate::config::Config;
use crate::geometry::{BoxXyxy, Point};
use crate::imaging::{self, Limits};
use crate::infer::{DetectOptions, InputSize, Predictor};
use crate::loss::MultiBox;
use crate::model::RetinaFace;
use crate::optim::Optimizer;

/// What to measure.
pub struct Plan<'a> {
    /// On `device`, for inference.
    pub model: RetinaFace,
    /// Its settings.
    pub config: &'a Config,
    /// Without autodiff.
    pub device: &'a Device,
    /// Side of the input.
    pub size: u32,
    /// Images at a time.
    pub batch: usize,
}

impl Plan<'_> {
    fn images(&self, device: &Device) -> Tensor<4> {
        let side = self.size as usize;
        let noise = Distribution::Uniform(-100.0, 100.0);
        Tensor::random([self.batch, 3, side, side], noise, device) // [B,3,S,S]
    }
}

/// The network alone. Landmarks are computed where faces are found, so not here.
pub fn forward(plan: Plan) -> Result<impl FnMut() -> Result<()>> {
    let images = plan.images(plan.device);
    let model = plan.model.fold();
    Ok(move || {
        let outputs = model.forward(images.clone());
        // Reading is what waits for devices that work on their own.
        outputs.logits.try_into_data()?;
        outputs.box_deltas.try_into_data()?;
        Ok(())
    })
}

/// From a file to faces, `batch` files at a time.
pub fn detect(plan: Plan, photo: Option<&Path>) -> Result<impl FnMut() -> Result<()>> {
    let options = DetectOptions {
        size: InputSize::Fixed(plan.size),
        ..DetectOptions::from(&plan.config.detect)
    };
    let batch = plan.batch;
    let predictor = Predictor::new(plan.model, plan.config, plan.device)?;
    let folder = tempfile::tempdir()?;
    let photo = match photo {
        Some(photo) => photo.to_path_buf(),
        None => drawn(folder.path())?,
    };
    Ok(move || {
        let _kept = &folder;
        (0..batch).into_par_iter().try_for_each(|_| {
            let image = imaging::load_rgb(&photo, &Limits::default())?;
            predictor.detect(&image, &options).map(drop)
        })
    })
}

/// A JPEG with some detail everywhere, as photos have it.
fn drawn(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("drawn.jpg");
    let image = RgbImage::from_fn(1280, 960, |x, y| {
        let wave = ((x * x / 97 + y * y / 61) % 256) as u8;
        image::Rgb([wave, (x / 5) as u8, (y / 4) as u8 ^ (wave / 8)])
    });
    image.save(&path)?;
    Ok(path)
}

/// A training step with a few faces in each image, data preparation left out.
pub fn train(plan: Plan) -> Result<impl FnMut() -> Result<()>> {
    let device = plan.device.clone().autodiff();
    let images = plan.images(&device);
    let targets = vec![faces(plan.config, plan.size)?; plan.batch];
    let loss = MultiBox::new(plan.config.loss.clone());
    let rate = plan.config.optimizer.learning_rate;
    let mut model = plan.model.train();
    let mut optimizer = Optimizer::new(&plan.config.optimizer, &model);
    Ok(move || {
        let outputs = model.forward(images.clone());
        let losses = loss.forward(&model, &outputs, &targets)?;
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
    let labelled = vec![true; points];
    let boxes = [(0.1, 0.125), (0.3, 0.25), (0.45, 0.5)].map(|(from, share)| BoxXyxy {
        x1: from * side,
        y1: from * side,
        x2: (from + share) * side,
        y2: (from + share) * side,
    });
    let landmarks = boxes.map(|b| {
        let at = |i: usize| (i as f32 + 0.5) / points as f32;
        let point = |i| -> Point { [b.x1 + at(i) * (b.x2 - b.x1), b.y1 + at(i) * (b.y2 - b.y1)] };
        (0..points).map(point).collect::<Vec<_>>()
    });
    let truths: Vec<Truth> = boxes
        .into_iter()
        .zip(&landmarks)
        .map(|(box_xyxy, landmarks)| Truth {
            box_xyxy,
            landmarks,
            labelled: &labelled,
            ignored: false,
        })
        .collect();
    let anchors = AnchorCache::new(&config.anchors).get([size, size]);
    Ok(TargetBuilder::new(config)?.build(&anchors, &truths, true))
}
