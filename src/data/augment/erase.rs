//! Random erasing (Zhong et al. 2020), aimed at faces: something in front of them.

use image::{Rgb, RgbImage};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::draw::{chance, log_uniform, pick_face, uniform};
use crate::config::EraseConfig;
use crate::data::FaceLabel;

/// Widest rectangle, width over height; the tallest is the inverse.
const MAX_ASPECT: f32 = 3.0;

/// Paint a rectangle of one colour or of noise over a part of a random face. Labels stay.
pub fn apply(
    image: &mut RgbImage,
    faces: &[FaceLabel],
    config: &EraseConfig,
    rng: &mut ChaCha8Rng,
) {
    if !chance(rng, config.probability) {
        return;
    }
    let Some(face) = pick_face(rng, faces) else {
        return;
    };
    let b = &face.box_xyxy;
    let area = uniform(rng, config.area) * b.area();
    let aspect = log_uniform(rng, [1.0 / MAX_ASPECT, MAX_ASPECT]);
    let (w, h) = ((area * aspect).sqrt(), (area / aspect).sqrt());
    let x = uniform(rng, [b.x1, b.x2]) - w * 0.5;
    let y = uniform(rng, [b.y1, b.y2]) - h * 0.5;
    let noisy = chance(rng, 0.5);
    let colour: [u8; 3] = rng.random();
    let to = |v: f32, limit: u32| v.round().clamp(0.0, limit as f32) as u32;
    let (width, height) = image.dimensions();
    for y in to(y, height)..to(y + h, height) {
        for x in to(x, width)..to(x + w, width) {
            let pixel = if noisy { rng.random() } else { colour };
            image.put_pixel(x, y, Rgb(pixel));
        }
    }
}
