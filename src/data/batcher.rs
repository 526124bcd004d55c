//! From labelled photos to what a training step needs: images `[B, C, S, S]`, ragged faces and
//! their targets.

use std::sync::Arc;

use anyhow::{Result, ensure};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::augment::Pipeline;
use super::{AttributeWeights, Before, FaceLabel};
use crate::anchors::{Anchors, Targets, Truth};
use crate::config::{Config, InputConfig};
use crate::imaging;
use crate::task::{self, TaskTargets};
use crate::teacher::Teacher;

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
    teacher: Option<Arc<Teacher>>,
}

impl Batcher {
    /// For the augmentations, crops and anchors of `config`.
    ///
    /// # Errors
    /// When the augmentations or the landmark scheme make no sense.
    pub fn new(config: &Config) -> Result<Self> {
        let side = task::of(config.task).crop_side(config);
        Ok(Self {
            pipeline: Pipeline::new(config)?,
            targets: TaskTargets::new(config, side)?,
            input: config.input.clone(),
            side,
            weights: AttributeWeights::default(),
            teacher: None,
        })
    }

    /// The same with faces that count as often as `weights` say.
    #[must_use]
    pub fn weighing(self, weights: AttributeWeights) -> Self {
        Self { weights, ..self }
    }

    /// The same with crops that the `teacher`, if any, has looked at.
    #[must_use]
    pub fn taught_by(self, teacher: Option<Arc<Teacher>>) -> Self {
        Self { teacher, ..self }
    }

    /// The same with crops that are made of what aligners `before` this one find.
    #[must_use]
    pub fn after(mut self, before: Option<&Arc<Before>>) -> Self {
        self.pipeline = self.pipeline.after(before);
        self
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
        let truths = faces.iter().map(|face| Truth {
            weight: self.weights.weight(face) * face.trust,
            ..face.truth()
        });
        let truths: Vec<Truth> = truths.collect();
        let mut targets = self.targets.of(&truths, complete)?;
        if let Some(teacher) = &self.teacher {
            targets.taught = Some(teacher.teach(&crop, self.anchors())?);
        }
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
