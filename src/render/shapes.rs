//! Boxes, discs, rings.

use image::{Rgb, RgbImage};
use imageproc::drawing::{draw_filled_rect_mut, draw_hollow_circle_mut};
use imageproc::rect::Rect;

use super::Mark;
use crate::geometry::{BoxXyxy, Point};

/// Length of a cross's arms, in radii of a disc.
const CROSS_REACH: f32 = 1.5;

/// Fill the rectangle between two corners (in any order).
pub fn fill_rect(image: &mut RgbImage, x1: f32, y1: f32, x2: f32, y2: f32, colour: [u8; 3]) {
    let (width, height) = image.dimensions();
    let (Some((left, right)), Some((top, bottom))) = (span(x1, x2, width), span(y1, y2, height))
    else {
        return;
    };
    let rect = Rect::at(left, top).of_size((right - left) as u32, (bottom - top) as u32);
    draw_filled_rect_mut(image, rect, Rgb(colour));
}

/// The pixels between `a` and `b` that lie in `0..size`; `None` when there are none.
fn span(a: f32, b: f32, size: u32) -> Option<(i32, i32)> {
    if a.is_nan() || b.is_nan() {
        return None;
    }
    let limit = size as f32;
    let from = a.min(b).clamp(0.0, limit).round() as i32;
    let to = a.max(b).clamp(0.0, limit).round() as i32;
    (to > from).then_some((from, to))
}

/// The four edges of a box, `line` pixels wide, growing outwards from its corners' pixels.
pub(super) fn outline(image: &mut RgbImage, b: &BoxXyxy, line: f32, dashed: bool, colour: [u8; 3]) {
    let (width, height) = image.dimensions();
    let line = line.max(1.0);
    let edge = (line - 1.0) * 0.5;
    let (dash, step) = if dashed {
        (line * 4.0, line * 7.0)
    } else {
        (f32::INFINITY, f32::INFINITY)
    };
    let far = |v: f32| (v - edge, v - edge + line);
    for y in [b.y1, b.y2] {
        let (top, bottom) = far(y);
        for (x1, x2) in dashes(b.x1 - edge, b.x2 - edge + line, width, dash, step) {
            fill_rect(image, x1, top, x2, bottom, colour);
        }
    }
    for x in [b.x1, b.x2] {
        let (left, right) = far(x);
        for (y1, y2) in dashes(b.y1 - edge, b.y2 - edge + line, height, dash, step) {
            fill_rect(image, left, y1, right, y2, colour);
        }
    }
}

/// The dashes between `a` and `b`, only those within `0..size`: a box may be far larger.
fn dashes(a: f32, b: f32, size: u32, dash: f32, step: f32) -> Vec<(f32, f32)> {
    let (from, to) = (a.max(0.0), b.min(size as f32));
    if a.is_nan() || b.is_nan() || from >= to {
        return Vec::new();
    }
    if !dash.is_finite() {
        return vec![(from, to)];
    }
    let count = ((to - from) / step).ceil() as usize;
    (0..count)
        .map(|i| from + i as f32 * step)
        .map(|start| (start, (start + dash).min(to)))
        .collect()
}

/// A point, `radius` pixels from its middle to its edge.
pub(super) fn mark(image: &mut RgbImage, [x, y]: Point, radius: f32, mark: Mark, colour: [u8; 3]) {
    match mark {
        Mark::Disc => disc(image, [x, y], radius, colour),
        Mark::Square => fill_rect(
            image,
            x - radius,
            y - radius,
            x + radius,
            y + radius,
            colour,
        ),
        Mark::Cross => {
            // Of the same weight as the others, its arms are longer.
            let (reach, half) = (radius * CROSS_REACH, (radius * 0.25).max(0.5));
            fill_rect(image, x - reach, y - half, x + reach, y + half, colour);
            fill_rect(image, x - half, y - reach, x + half, y + reach, colour);
        }
    }
}

/// A filled disc with a soft edge; `centre` in pixels, where pixel 0 spans 0 to 1.
pub fn disc(image: &mut RgbImage, centre: Point, radius: f32, colour: [u8; 3]) {
    let (width, height) = image.dimensions();
    let [cx, cy] = centre;
    let reach = radius + 1.0;
    let columns = span(cx - reach - 0.5, cx + reach + 0.5, width);
    let rows = span(cy - reach - 0.5, cy + reach + 0.5, height);
    let (Some((left, right)), Some((top, bottom))) = (columns, rows) else {
        return;
    };
    for y in top..bottom {
        for x in left..right {
            let distance = (x as f32 + 0.5 - cx).hypot(y as f32 + 0.5 - cy);
            let cover = (radius + 0.5 - distance).clamp(0.0, 1.0);
            blend(image, x as u32, y as u32, colour, cover);
        }
    }
}

/// A circle, one pixel wide.
pub fn ring(image: &mut RgbImage, centre: Point, radius: f32, colour: [u8; 3]) {
    let (width, height) = image.dimensions();
    let near = |v: f32, size: u32| v >= -radius && v <= size as f32 + radius;
    // Circles far larger than the picture are nobody's landmark.
    let visible = near(centre[0], width) && near(centre[1], height);
    if visible && radius.is_finite() && radius <= (width + height) as f32 {
        let at = (centre[0].floor() as i32, centre[1].floor() as i32);
        draw_hollow_circle_mut(image, at, radius.round() as i32, Rgb(colour));
    }
}

/// Mix `colour` into a pixel; a pixel outside the image is left out.
pub(super) fn blend(image: &mut RgbImage, x: u32, y: u32, colour: [u8; 3], cover: f32) {
    if let Some(pixel) = image.get_pixel_mut_checked(x, y) {
        for (channel, new) in pixel.0.iter_mut().zip(colour) {
            let old = f32::from(*channel);
            *channel = (old + (f32::from(new) - old) * cover.clamp(0.0, 1.0)).round() as u8;
        }
    }
}
