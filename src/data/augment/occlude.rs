//! Something in front of a face that looks like an object: another part of the photo, fingers, or
//! a smooth patch. [`super::erase`] is its plain relative.

use std::f32::consts::PI;
use std::ops::Range;

use image::{Rgb, RgbImage};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::draw::{chance, chance_if_on, log_uniform, pick_face, uniform};
use super::object::{Finger, Object, Outline};
use crate::config::OccludeConfig;
use crate::data::FaceLabel;
use crate::geometry::{BoxXyxy, Point};

/// Longest ellipse or card, width over height.
const MAX_ASPECT: f32 = 3.0;

/// Length of a finger, in thicknesses.
const FINGER_LENGTH: [f32; 2] = [4.0, 7.0];

/// Distance between the lines of neighbouring fingers, in radii.
const FINGER_GAP: f32 = 2.15;

/// Brightness at the edge of a finger, relative to its middle: it is round.
const EDGE_SHADE: f32 = 0.6;

/// Brightness of a hand, relative to the face.
const HAND_LIGHT: [f32; 2] = [0.75, 1.2];

/// Largest noise on a smooth patch, to either side.
const MAX_NOISE: f32 = 25.0;

/// Cover a part of a random face. Labels stay: the covered points are still to be found.
pub fn apply(
    image: &mut RgbImage,
    faces: &[FaceLabel],
    config: &OccludeConfig,
    rng: &mut ChaCha8Rng,
) {
    if !chance_if_on(rng, config.probability) {
        return;
    }
    let Some(face) = pick_face(rng, faces) else {
        return;
    };
    let b = &face.box_xyxy;
    let area = uniform(rng, config.area) * b.area();
    let centre = [uniform(rng, [b.x1, b.x2]), uniform(rng, [b.y1, b.y2])];
    let angle = uniform(rng, [-PI, PI]);
    let (outline, surface) = match uniform(rng, [0.0, 3.0]) as u32 {
        0 => (plain_outline(area, rng), elsewhere(image, centre, rng)),
        1 => (fingers(area, rng), skin(image, b, rng)),
        _ => (plain_outline(area, rng), gradient(rng)),
    };
    let object = Object {
        centre,
        angle,
        outline,
    };
    paint(image, &object, &surface, rng);
}

fn plain_outline(area: f32, rng: &mut ChaCha8Rng) -> Outline {
    let aspect = log_uniform(rng, [1.0 / MAX_ASPECT, MAX_ASPECT]);
    let sides = [(area * aspect).sqrt(), (area / aspect).sqrt()];
    if chance(rng, 0.5) {
        return Outline::Ellipse(sides.map(|v| v / PI.sqrt()));
    }
    let half = sides.map(|v| v * 0.5);
    Outline::Card {
        half,
        corner: uniform(rng, [0.1, 0.9]) * half[0].min(half[1]),
    }
}

/// Two or three fingers side by side, none quite as long as the next.
fn fingers(area: f32, rng: &mut ChaCha8Rng) -> Outline {
    let count = if chance(rng, 0.5) { 2u8 } else { 3 };
    let length = uniform(rng, FINGER_LENGTH);
    let radius = 0.5 * (area / (f32::from(count) * length)).sqrt();
    let middle = f32::from(count - 1) * 0.5;
    let finger = |i: u8| {
        let end = (length - 1.0) * radius;
        let longer = uniform(rng, [-radius, radius]);
        Finger {
            across: (f32::from(i) - middle) * FINGER_GAP * radius,
            ends: [-end, end + longer],
            radius,
        }
    };
    Outline::Fingers((0..count).map(finger).collect())
}

/// What an object looks like.
enum Surface {
    /// Another part of the crop, turned by quarters and perhaps mirrored: the pixel at `to` shows
    /// what is at `from`, and one step away the step multiplied by `turn` is taken there.
    Elsewhere {
        crop: RgbImage,
        turn: [[i32; 2]; 2],
        from: [i32; 2],
        to: [i32; 2],
    },
    /// One colour, shaded as if it were round.
    Skin([f32; 3]),
    /// From one colour to another along the object, with noise.
    Gradient { ends: [[f32; 3]; 2], noise: f32 },
}

fn elsewhere(image: &RgbImage, centre: Point, rng: &mut ChaCha8Rng) -> Surface {
    let [a, b] = [0, 1].map(|_| if chance(rng, 0.5) { 1 } else { -1 });
    let swapped = chance(rng, 0.5);
    let size = [image.width(), image.height()].map(|v| v as f32);
    // At least a quarter of the crop away, counted around its edges.
    let from = [0, 1].map(|axis| {
        let away = uniform(rng, [0.25, 0.75]) * size[axis];
        (centre[axis] + away).rem_euclid(size[axis]) as i32
    });
    Surface::Elsewhere {
        crop: image.clone(),
        turn: if swapped {
            [[0, a], [b, 0]]
        } else {
            [[a, 0], [0, b]]
        },
        from,
        to: centre.map(|v| v as i32),
    }
}

/// The mean of a few pixels from the middle of the face, in another light.
fn skin(image: &RgbImage, face: &BoxXyxy, rng: &mut ChaCha8Rng) -> Surface {
    let middle = face.scaled(0.5);
    let (x, y) = (
        uniform(rng, [middle.x1, middle.x2]),
        uniform(rng, [middle.y1, middle.y2]),
    );
    let reach = (face.side() / 16.0).max(1.0);
    let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
    for y in span(y, reach, image.height()) {
        for x in span(x, reach, image.width()) {
            let pixel = image.get_pixel(x, y).0;
            sum = std::array::from_fn(|c| sum[c] + f32::from(pixel[c]));
            count += 1.0;
        }
    }
    let light = uniform(rng, HAND_LIGHT);
    Surface::Skin(sum.map(|v| v / count.max(1.0) * light))
}

fn gradient(rng: &mut ChaCha8Rng) -> Surface {
    let ends: [[u8; 3]; 2] = [rng.random(), rng.random()];
    Surface::Gradient {
        ends: ends.map(|colour| colour.map(f32::from)),
        noise: uniform(rng, [0.0, MAX_NOISE]),
    }
}

/// The pixels within `reach` of `centre` along an axis of `limit` pixels.
fn span(centre: f32, reach: f32, limit: u32) -> Range<u32> {
    let to = |v: f32| v.clamp(0.0, limit as f32) as u32;
    to((centre - reach).floor())..to((centre + reach).ceil())
}

fn paint(image: &mut RgbImage, object: &Object, surface: &Surface, rng: &mut ChaCha8Rng) {
    let (width, height) = image.dimensions();
    let reach = object.outline.reach() + 1.0;
    let thickness = object.outline.thickness();
    for y in span(object.centre[1], reach, height) {
        for x in span(object.centre[0], reach, width) {
            let local = object.local([x as f32 + 0.5, y as f32 + 0.5]);
            let distance = object.outline.distance(local);
            // A pixel that the edge crosses is covered in part.
            let cover = (0.5 - distance).clamp(0.0, 1.0);
            if cover > 0.0 {
                let place = [local[0] / reach, -distance / thickness];
                let colour = surface.colour([x as i32, y as i32], place, rng);
                let old = image.get_pixel(x, y).0.map(f32::from);
                let mixed = [0, 1, 2].map(|c| old[c] + cover * (colour[c] - old[c]));
                image.put_pixel(x, y, Rgb(mixed.map(|v| v.round() as u8)));
            }
        }
    }
}

impl Surface {
    /// Its colour in a pixel of the crop. `along` the object from -1 to 1, `depth` from 0 at the
    /// edge to 1 in the middle.
    fn colour(&self, [x, y]: [i32; 2], [along, depth]: [f32; 2], rng: &mut ChaCha8Rng) -> [f32; 3] {
        match self {
            Self::Elsewhere {
                crop,
                turn,
                from,
                to,
            } => {
                let step = [x - to[0], y - to[1]];
                let at =
                    |axis: usize| from[axis] + turn[axis][0] * step[0] + turn[axis][1] * step[1];
                let (x, y) = (fold(at(0), crop.width()), fold(at(1), crop.height()));
                crop.get_pixel(x, y).0.map(f32::from)
            }
            Self::Skin(colour) => colour.map(|v| v * roundness(depth)),
            Self::Gradient { ends, noise } => {
                let share = (0.5 + 0.5 * along).clamp(0.0, 1.0);
                let grain = uniform(rng, [-noise, *noise]);
                [0, 1, 2].map(|c| ends[0][c] + share * (ends[1][c] - ends[0][c]) + grain)
            }
        }
    }
}

/// A place in a row of `limit` pixels that is mirrored at both ends, again and again.
fn fold(place: i32, limit: u32) -> u32 {
    let limit = limit as i32;
    let folded = place.rem_euclid(2 * limit);
    folded.min(2 * limit - 1 - folded) as u32
}

/// Brightness at `depth` = 0 (edge) to 1 (middle) of a round thing.
fn roundness(depth: f32) -> f32 {
    let out = 1.0 - depth.clamp(0.0, 1.0);
    EDGE_SHADE + (1.0 - EDGE_SHADE) * (1.0 - out * out).sqrt()
}
