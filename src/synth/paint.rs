//! Polygons, strokes, gradients and noise, drawn with imageproc.

use image::{Rgb, RgbImage};
use imageproc::drawing::draw_polygon_mut;
use imageproc::point::Point as Corner;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::geometry::Point;

/// Fill a polygon; fewer than three different corners are nothing.
pub fn polygon(image: &mut RgbImage, corners: &[Point], colour: [u8; 3]) {
    let mut corners: Vec<Corner<i32>> = corners
        .iter()
        .map(|&[x, y]| Corner::new(x.round() as i32, y.round() as i32))
        .collect();
    corners.dedup();
    while corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    if corners.len() >= 3 {
        draw_polygon_mut(image, &corners, Rgb(colour));
    }
}

/// Draw a line of some width through `points`.
pub fn stroke(image: &mut RgbImage, points: &[Point], width: f32, colour: [u8; 3]) {
    let half = width.max(1.0) * 0.5;
    for pair in points.windows(2) {
        let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
        let length = (bx - ax).hypot(by - ay).max(1e-3);
        let (nx, ny) = ((ay - by) / length * half, (bx - ax) / length * half);
        let corners = [
            [ax + nx, ay + ny],
            [bx + nx, by + ny],
            [bx - nx, by - ny],
            [ax - nx, ay - ny],
        ];
        polygon(image, &corners, colour);
    }
}

/// Corners of an ellipse.
pub fn ellipse([cx, cy]: Point, rx: f32, ry: f32) -> Vec<Point> {
    (0..28)
        .map(|i| i as f32 / 28.0 * std::f32::consts::TAU)
        .map(|a| [cx + rx * a.cos(), cy + ry * a.sin()])
        .collect()
}

/// The part of `subject` inside the convex polygon `clip` (Sutherland and Hodgman, 1974), whose
/// corners go clockwise as seen.
pub fn clipped(subject: &[Point], clip: &[Point]) -> Vec<Point> {
    let mut rest = subject.to_vec();
    for (i, &a) in clip.iter().enumerate() {
        let b = clip[(i + 1) % clip.len()];
        let side = |p: Point| (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
        let input = std::mem::take(&mut rest);
        for (j, &p) in input.iter().enumerate() {
            let before = input[(j + input.len() - 1) % input.len()];
            let (here, there) = (side(p), side(before));
            if (here >= 0.0) != (there >= 0.0) {
                let t = there / (there - here);
                rest.push([
                    before[0] + t * (p[0] - before[0]),
                    before[1] + t * (p[1] - before[1]),
                ]);
            }
            if here >= 0.0 {
                rest.push(p);
            }
        }
    }
    rest
}

/// A colour `share` of the way from `a` to `b`.
pub fn mix(a: [u8; 3], b: [u8; 3], share: f32) -> [u8; 3] {
    let channel = |i: usize| {
        let (a, b) = (f32::from(a[i]), f32::from(b[i]));
        (a + (b - a) * share).round().clamp(0.0, 255.0) as u8
    };
    [channel(0), channel(1), channel(2)]
}

/// Any colour.
pub fn any_colour(rng: &mut ChaCha8Rng) -> [u8; 3] {
    [rng.random(), rng.random(), rng.random()]
}

/// Fill the image with a gradient, then shapes of every kind.
pub fn background(image: &mut RgbImage, rng: &mut ChaCha8Rng) {
    let (width, height) = image.dimensions();
    let (from, to) = (any_colour(rng), any_colour(rng));
    let angle = rng.random_range(0.0..std::f32::consts::TAU);
    let (dx, dy) = (angle.cos(), angle.sin());
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let (u, v) = (
            x as f32 / width as f32 - 0.5,
            y as f32 / height as f32 - 0.5,
        );
        pixel.0 = mix(from, to, (u * dx + v * dy + 0.5).clamp(0.0, 1.0));
    }
    let side = width.min(height) as f32;
    for _ in 0..rng.random_range(4..14) {
        let centre = [
            rng.random_range(0.0..width as f32),
            rng.random_range(0.0..height as f32),
        ];
        let (rx, ry) = (
            side * rng.random_range(0.02..0.25),
            side * rng.random_range(0.02..0.25),
        );
        let colour = any_colour(rng);
        match rng.random_range(0..4) {
            0 => polygon(image, &ellipse(centre, rx, ry), colour),
            1 => {
                let (x, y) = (centre[0], centre[1]);
                let corners = [
                    [x - rx, y - ry],
                    [x + rx, y - ry],
                    [x + rx, y + ry],
                    [x - rx, y + ry],
                ];
                polygon(image, &corners, colour);
            }
            2 => {
                let corner = |a: f32| [centre[0] + rx * a.cos(), centre[1] + ry * a.sin()];
                polygon(
                    image,
                    &[angle, angle + 2.0, angle + 4.1].map(corner),
                    colour,
                );
            }
            _ => {
                let end = [centre[0] + rx * 2.0 * dx, centre[1] + ry * 2.0 * dy];
                stroke(image, &[centre, end], side * 0.015, colour);
            }
        }
    }
}

/// Add to each channel of each pixel a random number up to `amplitude` either way.
pub fn noise(image: &mut RgbImage, amplitude: f32, rng: &mut ChaCha8Rng) {
    for channel in image.iter_mut() {
        let shift = rng.random_range(-1.0f32..1.0) * amplitude;
        *channel = (f32::from(*channel) + shift).round().clamp(0.0, 255.0) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_keeps_the_common_part() {
        let square = |a: f32, b: f32| [[a, a], [b, a], [b, b], [a, b]];
        let common = clipped(&square(5.0, 20.0), &square(0.0, 10.0));
        let area: f32 = (0..common.len())
            .map(|i| {
                let (p, q) = (common[i], common[(i + 1) % common.len()]);
                (p[0] * q[1] - q[0] * p[1]) * 0.5
            })
            .sum();
        assert!((area.abs() - 25.0).abs() < 1e-3, "{common:?}");
        assert!(clipped(&square(50.0, 60.0), &square(0.0, 10.0)).is_empty());
    }

    #[test]
    fn degenerate_polygons_are_nothing() {
        let mut image = RgbImage::new(8, 8);
        polygon(&mut image, &[[1.0, 1.0]; 5], [255; 3]);
        polygon(&mut image, &[], [255; 3]);
        stroke(&mut image, &[[2.0, 2.0]], 3.0, [255; 3]);
        assert!(image.iter().all(|&v| v == 0));
    }
}
