//! From labelled photos to what a training step needs: images `[B, C, S, S]`, ragged faces and
//! their targets.

use std::sync::Arc;

use anyhow::{Result, ensure};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::augment::Pipeline;
use super::{AttributeWeights, FaceLabel};
use crate::anchors::{Anchors, Targets, TaskTargets, Truth};
use crate::config::{Config, InputConfig};
use crate::imaging;

/// One batch of augmented crops.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised pixels, `[B, C, side, side]`.
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
    targets: TaskTargets,
    input: InputConfig,
    side: u32,
    weights: AttributeWeights,
}

impl Batcher {
    /// For the augmentations, crops and anchors of `config`.
    ///
    /// # Errors
    /// When the augmentations or the landmark scheme make no sense.
    pub fn new(config: &Config) -> Result<Self> {
        let side = config.crop_side();
        Ok(Self {
            pipeline: Pipeline::new(config)?,
            targets: TaskTargets::new(config, side)?,
            input: config.input.clone(),
            side,
            weights: AttributeWeights::default(),
        })
    }

    /// The same with faces that count as often as `weights` say.
    #[must_use]
    pub fn weighing(self, weights: AttributeWeights) -> Self {
        Self { weights, ..self }
    }

    /// Side of the crops, pixels.
    pub const fn side(&self) -> usize {
        self.side as usize
    }

    /// Number of elements of one image, `C * side * side`.
    pub const fn image_len(&self) -> usize {
        self.input.channel_order.channels() * self.side() * self.side()
    }

    /// Anchors of the crops.
    pub const fn anchors(&self) -> &Anchors {
        self.targets.anchors()
    }

    /// Augment one photo. `complete`: all its faces are labelled.
    ///
    /// # Errors
    /// When the augmentations fail or give a crop of another size, and as [`TaskTargets::of`].
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
        let truth = |face| Truth {
            weight: self.weights.weight(face),
            ..FaceLabel::truth(face)
        };
        let truths: Vec<Truth> = faces.iter().map(truth).collect();
        let targets = self.targets.of(&truths, complete)?;
        Ok(Item {
            crop,
            faces,
            targets,
        })
    }

    /// Write the normalised pixels of a crop into `out`, `[C, side, side]`.
    pub fn fill(&self, crop: &RgbImage, out: &mut [f32]) {
        imaging::fill_tensor(crop, &self.input, [self.side(); 2], out);
    }
}
