//! Augmentation of photos and their labels.

use anyhow::Result;
use image::RgbImage;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::FaceLabel;
use crate::config::Config;
use crate::geometry::Affine;
use crate::imaging;

/// Turns photos into square crops.
#[derive(Debug)]
pub struct Pipeline {
    side: u32,
}

impl Pipeline {
    /// For crops of `train.crop` pixels.
    ///
    /// # Errors
    /// None yet.
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            side: config.train.crop,
        })
    }

    /// A crop that shows the whole photo, or nearly so, and its faces.
    pub fn apply(
        &self,
        image: &RgbImage,
        faces: &[FaceLabel],
        rng: &mut ChaCha8Rng,
    ) -> (RgbImage, Vec<FaceLabel>) {
        let fit = self.side as f32 / image.width().max(image.height()).max(1) as f32;
        let scale = fit * rng.random_range(0.8..1.0);
        let map = Affine::scale_shift(scale, [0.0, 0.0]);
        let crop = imaging::warp(image, &map, [self.side; 2], [0; 3]);
        let mut faces = faces.to_vec();
        for face in &mut faces {
            face.box_xyxy = face.box_xyxy.transformed(scale, [0.0; 2]);
            for point in &mut face.landmarks {
                *point = point.map(|v| v * scale);
            }
        }
        (crop, faces)
    }
}
