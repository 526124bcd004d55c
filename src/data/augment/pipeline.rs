//! All augmentations in order.

use std::sync::Arc;

use anyhow::{Result, ensure};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::bounds::map_box_distorted;
use super::crop::View;
use super::draw::chance;
use super::{blur, color, crop, erase, face, flip, grey, jpeg, labels, rotate};
use super::{low_res, occlude, perspective, stretch, yaw};
use crate::config::{AugmentConfig, Config};
use crate::data::{Before, FaceLabel};
use crate::geometry::{Affine, Distortion, Scheme};
use crate::imaging;
use crate::task::{self, View as Taught};

/// Turns a labelled photo into a labelled training crop.
#[derive(Clone, Debug)]
pub struct Pipeline {
    config: AugmentConfig,
    scheme: Scheme,
    side: u32,
    fill: [u8; 3],
    /// How far outside the crop a point may lie to be learned, pixels.
    margin: f32,
    /// Of the crops of single faces, where those are learned.
    context: Option<f32>,
    /// Aligners that look at the face before the one that is trained.
    before: Option<Arc<Before>>,
}

impl Pipeline {
    /// The transforms that `config.augment` describes, for the crops of its task.
    ///
    /// # Errors
    /// Names the keys with impossible values.
    pub fn new(config: &Config) -> Result<Self> {
        config.augment.validate()?;
        let task = task::of(config.task);
        let side = task.crop_side(config);
        ensure!(side > 0, "train.crop must be at least 1");
        let (margin, context) = match task.view(config) {
            Taught::Photos => (0.0, None),
            Taught::Faces { context, margin } => (margin * side as f32, Some(context)),
        };
        Ok(Self {
            config: config.augment.clone(),
            scheme: config.landmarks.scheme()?,
            side,
            fill: config.input.mean_rgb(),
            margin,
            context,
            before: None,
        })
    }

    /// The same with crops of faces that are made of what aligners `before` this one find.
    pub fn after(self, before: Option<&Arc<Before>>) -> Self {
        Self {
            before: before.cloned(),
            ..self
        }
    }

    /// Draw one crop of `image`: a square of the configured side and the faces in it, in pixels
    /// of the crop. The same generator state gives the same crop. A photo without faces is legal.
    /// Where single faces are learned the crop shows the first one.
    ///
    /// # Errors
    /// When a face has landmarks of another scheme, the photo cannot be resized, or an aligner before
    /// this one fails.
    pub fn apply(
        &self,
        image: &RgbImage,
        faces: &[FaceLabel],
        rng: &mut ChaCha8Rng,
    ) -> Result<(RgbImage, Vec<FaceLabel>)> {
        self.check(faces)?;
        let side = self.side as f32;
        let photo = [image.width() as f32, image.height() as f32];
        let angle = rotate::angle(&self.config.rotation, rng);
        let before = self.before.as_deref().map(|before| (before, image));
        let face = match self.context.zip(faces.first()) {
            Some((context, face)) => {
                let about = (&self.scheme, context);
                face::choose(&self.config.face, about, before, face, [side, angle], rng)?
            }
            None => None,
        };
        let view = match face {
            Some(view) => view,
            None => crop::choose(&self.config, photo, faces, side, angle, rng),
        };
        self.show(image, faces, &view, rng)
    }

    /// A face is mirrored by chance only; one that could not be is refused each time.
    fn check(&self, faces: &[FaceLabel]) -> Result<()> {
        let (name, points) = (self.scheme.name(), self.scheme.len());
        for len in faces.iter().map(|f| f.landmarks.len()) {
            ensure!(
                len == 0 || len == points,
                "a face has {len} landmarks; {name} has {points}"
            );
        }
        Ok(())
    }

    /// The crop that `view` shows, varied by everything but the choice of the view.
    fn show(
        &self,
        image: &RgbImage,
        faces: &[FaceLabel],
        view: &View,
        rng: &mut ChaCha8Rng,
    ) -> Result<(RgbImage, Vec<FaceLabel>)> {
        let side = self.side as f32;
        let mut map = view.map;
        if let Some(stretched) = stretch::draw(&self.config.stretch, side, rng) {
            map = map.then(&stretched);
        }
        let flipped = chance(rng, self.config.flip.probability);
        if flipped {
            map = map.then(&flip::mirror(side));
        }
        let distortion = self.distortion(view, &map, rng);
        let out = [self.side; 2];
        let mut crop = imaging::warp_distorted(image, &map, &distortion, out, self.fill)?;
        let mirrored = flipped.then_some(&self.scheme);
        let config = &self.config.crop;
        let edges = [side, self.margin];
        let faces = labels::map_faces(faces, &map, &distortion, mirrored, edges, config)?;
        self.vary_pixels(&mut crop, &faces, rng)?;
        Ok((crop, faces))
    }

    /// What follows `map`, drawn in the axes of the crop.
    fn distortion(&self, view: &View, map: &Affine, rng: &mut ChaCha8Rng) -> Distortion {
        let perspective = perspective::draw(&self.config.perspective, self.side as f32, rng);
        let mut distortion = Distortion {
            perspective,
            yaw: None,
        };
        let face = view
            .face
            .and_then(|b| map_box_distorted(&b, map, &distortion));
        distortion.yaw = yaw::draw(&self.config.yaw, face, rng);
        distortion
    }

    /// Objects first, so that they get the light and the blur of the photo.
    fn vary_pixels(
        &self,
        crop: &mut RgbImage,
        faces: &[FaceLabel],
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        occlude::apply(crop, faces, &self.config.occlude, rng);
        low_res::apply(crop, &self.config.low_res, rng)?;
        color::jitter(crop, &self.config.color, rng);
        grey::apply(crop, &self.config.grey, rng);
        blur::apply(crop, &self.config.blur, rng);
        erase::apply(crop, faces, &self.config.erase, rng);
        jpeg::apply(crop, &self.config.jpeg, rng)
    }
}
