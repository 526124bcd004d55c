//! From labelled photos to what a training step needs: images `[B, 3, S, S]`, ragged faces and
//! their targets.

use std::sync::Arc;

use anyhow::{Result, ensure};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::FaceLabel;
use super::augment::Pipeline;
use crate::anchors::{Anchors, TargetBuilder, Targets, Truth};
use crate::config::{Config, InputConfig, Task};
use crate::imaging;

/// One batch of augmented crops.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised pixels, `[B, 3, side, side]`.
    pub images: Vec<f32>,
    /// Side of the crops, pixels.
    pub side: usize,
    /// Photo of each image.
    pub names: Vec<Arc<str>>,
    /// Faces of each image, pixels of the crop.
    pub faces: Vec<Vec<FaceLabel>>,
    /// Targets of each image.
    pub targets: Vec<Targets>,
}

/// One augmented crop.
#[derive(Clone, Debug)]
pub struct Item {
    /// The pixels.
    pub crop: RgbImage,
    /// Its faces, pixels of the crop.
    pub faces: Vec<FaceLabel>,
    /// What the network should say.
    pub targets: Targets,
}

/// Augments, matches and encodes; shared by all workers.
#[derive(Debug)]
pub struct Batcher {
    pipeline: Pipeline,
    targets: TargetBuilder,
    anchors: Arc<Anchors>,
    input: InputConfig,
    side: u32,
    task: Task,
}

impl Batcher {
    /// For the augmentations, crops and anchors of `config`.
    ///
    /// # Errors
    /// When the augmentations or the landmark scheme make no sense.
    pub fn new(config: &Config) -> Result<Self> {
        let side = config.crop_side();
        let anchors = match config.task {
            Task::Detect => Anchors::generate(&config.anchors, [side, side]),
            Task::Align => Anchors::single(config.aligner.anchor_cxcywh(), [side, side]),
        };
        Ok(Self {
            pipeline: Pipeline::new(config)?,
            targets: TargetBuilder::new(config)?,
            anchors: Arc::new(anchors),
            task: config.task,
            input: config.input.clone(),
            side,
        })
    }

    /// Side of the crops, pixels.
    pub const fn side(&self) -> usize {
        self.side as usize
    }

    /// Number of elements of one image, `3 * side * side`.
    pub const fn image_len(&self) -> usize {
        3 * self.side() * self.side()
    }

    /// Anchors of the crops.
    pub fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// Augment one photo. `complete`: all its faces are labelled.
    ///
    /// # Errors
    /// When the augmentations fail or give a crop of another size, and as [`TargetBuilder::build`].
    pub fn item(
        &self,
        photo: &RgbImage,
        faces: &[FaceLabel],
        complete: bool,
        rng: &mut ChaCha8Rng,
    ) -> Result<Item> {
        let (crop, faces) = self.pipeline.apply(photo, faces, rng)?;
        ensure!(
            crop.dimensions() == (self.side, self.side),
            "the crop has {:?} pixels instead of {} each way",
            crop.dimensions(),
            self.side
        );
        let truths: Vec<Truth> = faces.iter().map(FaceLabel::truth).collect();
        let targets = match (self.task, truths.first()) {
            (Task::Align, Some(face)) => self.targets.of_face(&self.anchors, face)?,
            (Task::Align, None) => Targets::default(),
            (Task::Detect, _) => self.targets.build(&self.anchors, &truths, complete)?,
        };
        Ok(Item {
            crop,
            faces,
            targets,
        })
    }

    /// Write the normalised pixels of a crop into `out`, `[3, side, side]`.
    pub fn fill(&self, crop: &RgbImage, out: &mut [f32]) {
        imaging::fill_tensor(crop, &self.input, [self.side(); 2], out);
    }
}
