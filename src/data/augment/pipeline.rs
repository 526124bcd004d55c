//! All augmentations in order.

use anyhow::{Result, ensure};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::draw::chance;
use super::{blur, color, crop, erase, flip, grey, jpeg, labels, rotate};
use crate::config::{AugmentConfig, ChannelOrder, Config, InputConfig};
use crate::data::FaceLabel;
use crate::geometry::Scheme;
use crate::imaging;

/// Turns a labelled photo into a labelled training crop.
#[derive(Clone, Debug)]
pub struct Pipeline {
    config: AugmentConfig,
    scheme: Scheme,
    side: u32,
    fill: [u8; 3],
}

impl Pipeline {
    /// The transforms that `config.augment` describes, for crops of `config.train.crop` pixels.
    ///
    /// # Errors
    /// Names the keys with impossible values.
    pub fn new(config: &Config) -> Result<Self> {
        config.augment.validate()?;
        ensure!(config.train.crop > 0, "train.crop must be at least 1");
        Ok(Self {
            config: config.augment.clone(),
            scheme: config.landmarks.scheme()?,
            side: config.train.crop,
            fill: mean_colour(&config.input),
        })
    }

    /// Draw one crop of `image`: a square of the configured side and the faces in it, in pixels
    /// of the crop. The same generator state gives the same crop. A photo without faces is legal.
    pub fn apply(
        &self,
        image: &RgbImage,
        faces: &[FaceLabel],
        rng: &mut ChaCha8Rng,
    ) -> (RgbImage, Vec<FaceLabel>) {
        let side = self.side as f32;
        let photo = [image.width() as f32, image.height() as f32];
        let angle = rotate::angle(&self.config.rotation, rng);
        let mut map = crop::choose(&self.config, photo, faces, side, angle, rng);
        let flipped = chance(rng, self.config.flip.probability);
        if flipped {
            map = map.then(&flip::mirror(side));
        }
        let mut crop = imaging::warp(image, &map, [self.side; 2], self.fill);
        let mirrored = flipped.then_some(&self.scheme);
        let faces = labels::map_faces(faces, &map, mirrored, side, &self.config.crop);
        color::jitter(&mut crop, &self.config.color, rng);
        grey::apply(&mut crop, &self.config.grey, rng);
        blur::apply(&mut crop, &self.config.blur, rng);
        erase::apply(&mut crop, &faces, &self.config.erase, rng);
        jpeg::apply(&mut crop, &self.config.jpeg, rng);
        (crop, faces)
    }
}

/// What the network sees as zero.
fn mean_colour(input: &InputConfig) -> [u8; 3] {
    let [a, b, c] = input.mean.map(|v| v.round() as u8);
    match input.channel_order {
        ChannelOrder::Rgb => [a, b, c],
        ChannelOrder::Bgr => [c, b, a],
    }
}
