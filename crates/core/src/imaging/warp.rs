//! Warps: any crop, scale, rotation, mirror and distortion in one step.

use image::RgbImage;

use super::resize::resize_region;
use crate::error::Result;
use crate::geometry::{Affine, Distortion, Point};

/// Shrinking by less than this needs no filter before the bilinear one.
const MILD_SHRINK: f32 = 0.8;

/// Draw `src` through `map` (source point -> target point) into an image of `out` =
/// `[width, height]` pixels; where the source ends, `fill` begins.
///
/// Bilinear; when the map shrinks, the part of the source that is needed is first shrunk with an
/// anti-aliasing filter. The cost depends on that part, not on the whole source. A map that
/// flattens the plane gives an image of `fill`.
///
/// # Errors
/// When the source cannot be shrunk.
pub fn warp(src: &RgbImage, map: &Affine, out: [u32; 2], fill: [u8; 3]) -> Result<RgbImage> {
    draw(src, map, |p| p, out, fill)
}

/// [`warp`], with the target distorted by `distortion` (target pixels): a source point ends at
/// `distortion.apply(map.apply(point))`. Still sampled once, and filtered for `map` alone, so
/// that what the distortion shrinks further is a little sharper than it should be.
///
/// # Errors
/// As [`warp`].
pub fn warp_distorted(
    src: &RgbImage,
    map: &Affine,
    distortion: &Distortion,
    out: [u32; 2],
    fill: [u8; 3],
) -> Result<RgbImage> {
    if distortion.is_identity() {
        return warp(src, map, out, fill);
    }
    draw(src, map, |p| distortion.inverse(p), out, fill)
}

/// `straighten` takes a target point to where `map` puts the same content. It is a type of its
/// own in each copy of the compiled code, so that no distortion costs nothing.
fn draw(
    src: &RgbImage,
    map: &Affine,
    straighten: impl Fn(Point) -> Point,
    out: [u32; 2],
    fill: [u8; 3],
) -> Result<RgbImage> {
    let mut target = RgbImage::from_pixel(out[0], out[1], image::Rgb(fill));
    let Some(inverse) = map.inverse() else {
        return Ok(target);
    };
    // Target pixels per source pixel, along each axis of the source.
    let scale = [
        map.row_x[0].hypot(map.row_y[0]),
        map.row_x[1].hypot(map.row_y[1]),
    ];
    if scale.iter().all(|&s| s >= MILD_SHRINK) {
        sample(src, &inverse, straighten, &mut target);
        return Ok(target);
    }
    let [right, bottom] = out.map(|v| v as f32);
    let corners = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]];
    let seen = corners.map(|p| inverse.apply(straighten(p)));
    let Some([x, y, w, h]) = needed_region(src, seen, scale) else {
        return Ok(target);
    };
    let shrunk = |side: u32, scale: f32| (side as f32 * scale.min(1.0)).ceil().max(1.0) as u32;
    let small = [shrunk(w, scale[0]), shrunk(h, scale[1])];
    let part = resize_region(src, [x, y, w, h], small)?;
    let (kx, ky) = (small[0] as f32 / w as f32, small[1] as f32 / h as f32);
    let to_part = Affine {
        row_x: [kx, 0.0, -(x as f32) * kx],
        row_y: [0.0, ky, -(y as f32) * ky],
    };
    sample(&part, &inverse.then(&to_part), straighten, &mut target);
    Ok(target)
}

/// `[x, y, width, height]` of the source that the target sees, with a margin for the filters;
/// `None` when it sees nothing. `corners` are those of the target in the source; what lies between
/// them is seen, because no map bends the outline: a head's turn moves columns in their order.
fn needed_region(src: &RgbImage, corners: [Point; 4], scale: [f32; 2]) -> Option<[u32; 4]> {
    // A corner beyond the horizon sees endlessly far.
    if corners.iter().flatten().any(|v| v.is_nan()) {
        return Some([0, 0, src.width(), src.height()]);
    }
    let span = |axis: usize, side: u32| {
        let margin = 2.0 / scale[axis].min(1.0) + 1.0;
        let values = corners.map(|p| p[axis]);
        let low = values.iter().fold(f32::INFINITY, |a, &b| a.min(b)) - margin;
        let high = values.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)) + margin;
        let low = low.floor().clamp(0.0, side as f32) as u32;
        let high = high.ceil().clamp(0.0, side as f32) as u32;
        (high > low).then(|| (low, high - low))
    };
    let (x, w) = span(0, src.width())?;
    let (y, h) = span(1, src.height())?;
    Some([x, y, w, h])
}

/// Bilinear sampling at `straighten`, then `inverse` (target -> source) of each target pixel's
/// centre. Pixels whose centre lies outside the source, or nowhere (NaN), keep their colour; at the
/// edge the last pixel is repeated.
fn sample(
    src: &RgbImage,
    inverse: &Affine,
    straighten: impl Fn(Point) -> Point,
    target: &mut RgbImage,
) {
    let (w, h) = src.dimensions();
    if w == 0 || h == 0 || target.width() == 0 {
        return;
    }
    let source = Source {
        pixels: src.as_raw(),
        size: [w as f32, h as f32],
        last: [w as i32 - 1, h as i32 - 1],
        row_bytes: w as usize * 3,
    };
    let row_bytes = target.width() as usize * 3;
    for (y, row) in target.chunks_exact_mut(row_bytes).enumerate() {
        let ty = y as f32 + 0.5;
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            if let Some(rgb) = source.at(inverse.apply(straighten([x as f32 + 0.5, ty]))) {
                pixel.copy_from_slice(&rgb);
            }
        }
    }
}

struct Source<'a> {
    pixels: &'a [u8],
    size: [f32; 2],
    last: [i32; 2],
    row_bytes: usize,
}

impl Source<'_> {
    #[inline(always)]
    fn at(&self, [x, y]: [f32; 2]) -> Option<[u8; 3]> {
        if !(x >= 0.0 && y >= 0.0 && x < self.size[0] && y < self.size[1]) {
            return None;
        }
        let ((x, fx), (y, fy)) = (before(x), before(y));
        let inside = x >= 0 && y >= 0 && x < self.last[0] && y < self.last[1];
        if !inside {
            return Some(self.at_edge([x, y], [fx, fy]));
        }
        // Both neighbours of a row stand side by side.
        let start = y as usize * self.row_bytes + 3 * x as usize;
        let pair = |at: usize| self.pixels[at..at + 6].as_chunks().0.first_chunk();
        Some(mixed(pair(start)?, pair(start + self.row_bytes)?, [fx, fy]))
    }

    /// Where one of the neighbours may be beyond the edge, which repeats the last pixel.
    #[cold]
    fn at_edge(&self, [x, y]: [i32; 2], shares: [u32; 2]) -> [u8; 3] {
        let clamp = |v: i32, last: i32| v.clamp(0, last) as usize;
        let columns = [x, x + 1].map(|x| 3 * clamp(x, self.last[0]));
        let rows = [y, y + 1].map(|y| clamp(y, self.last[1]) * self.row_bytes);
        let pair = |row: usize| {
            columns.map(|column| std::array::from_fn(|i| self.pixels[row + column + i]))
        };
        mixed(&pair(rows[0]), &pair(rows[1]), shares)
    }
}

/// Two pixels of a row.
type Pair = [[u8; 3]; 2];

/// The pixel whose centre is the last one before `v` >= 0 (-1 for the first half pixel), and the
/// share of the next one in 1/256.
#[inline]
fn before(v: f32) -> (i32, u32) {
    // Counted from one pixel farther to the left nothing is below zero, and `as` rounds down;
    // `floor` would be a call to a library.
    let first = (v + 0.5) as i32 - 1;
    let share = (v - 0.5 - first as f32) * 256.0 + 0.5;
    (first, share as u32)
}

/// Of two pixels of a row and the two below them, of which the right and the lower ones have these
/// shares in 1/256.
#[inline(always)]
fn mixed([a, b]: &Pair, [c, d]: &Pair, [fx, fy]: [u32; 2]) -> [u8; 3] {
    let both = fx * fy;
    let (right, below) = (256 * fx - both, 256 * fy - both);
    let shares = [(1 << 16) - right - below - both, right, below, both];
    // The products have 24 bits, so that one of 64 bits holds red and blue.
    let red_blue = |&[r, _, b]: &[u8; 3]| u64::from(r) | u64::from(b) << 32;
    let (mut two, mut green) = (1 << 15 | 1 << 47, 1 << 15);
    for (pixel, share) in [a, b, c, d].into_iter().zip(shares) {
        two += red_blue(pixel) * u64::from(share);
        green += u32::from(pixel[1]) * share;
    }
    [(two >> 16) as u8, (green >> 16) as u8, (two >> 48) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Homography, YawWarp};

    const OUT: u32 = 120;

    fn distortions() -> [Distortion; 3] {
        let corners = [[6.0, -5.0], [112.0, 7.0], [125.0, 113.0], [-4.0, 124.0]];
        let perspective = Homography::from_corners([OUT as f32; 2], corners);
        let yaw = YawWarp::new(64.0, 45.0, -0.25);
        assert!(perspective.is_some() && yaw.is_some());
        [(perspective, None), (None, yaw), (perspective, yaw)]
            .map(|(perspective, yaw)| Distortion { perspective, yaw })
    }

    /// A bright disc of `radius` around `at` in a dark picture of `side` pixels.
    fn dotted(side: u32, at: Point, radius: f32) -> RgbImage {
        RgbImage::from_fn(side, side, |x, y| {
            let distance = (x as f32 + 0.5 - at[0]).hypot(y as f32 + 0.5 - at[1]);
            image::Rgb([(255.0 * (radius + 0.5 - distance).clamp(0.0, 1.0)) as u8; 3])
        })
    }

    fn centre_of_mass(image: &RgbImage) -> Point {
        let mut sum = [0.0f32; 3];
        for (x, y, pixel) in image.enumerate_pixels() {
            let mass = f32::from(pixel.0[0]);
            sum[0] += mass * (x as f32 + 0.5);
            sum[1] += mass * (y as f32 + 0.5);
            sum[2] += mass;
        }
        [sum[0] / sum[2], sum[1] / sum[2]]
    }

    #[test]
    fn pixels_go_where_points_go() {
        // Enlarged a little, and shrunk through the filter.
        for scale in [1.1, 0.4] {
            let side = OUT as f32 / scale;
            let middle = side * 0.5;
            let to_crop = Affine::scale_shift(1.0, [60.0 - middle; 2]);
            let map = Affine::rotation(0.3, scale, [middle; 2]).then(&to_crop);
            for distortion in distortions() {
                for [x, y] in [[0.5, 0.5], [0.35, 0.4], [0.62, 0.7], [0.7, 0.3]] {
                    let at = [x * side, y * side];
                    let src = dotted(side as u32, at, 3.0 / scale);
                    let out = warp_distorted(&src, &map, &distortion, [OUT; 2], [0; 3]).unwrap();
                    let [x, y] = distortion.apply(map.apply(at));
                    let [seen_x, seen_y] = centre_of_mass(&out);
                    let off = (x - seen_x).hypot(y - seen_y);
                    assert!(off < 1.0, "{at:?} at ({seen_x}, {seen_y}), not ({x}, {y})");
                }
            }
        }
    }

    #[test]
    fn neighbours_are_mixed_by_their_shares() {
        // The first pixel's centre is at 0.5.
        let places = [0.0, 0.5, 10.25, 2.5 - 1e-4, 1024.0 - 2f32.powi(-14)];
        let expected = [(-1, 128), (0, 0), (9, 192), (1, 256), (1023, 128)];
        assert_eq!(places.map(before), expected);
        let upper = [[0, 10, 255], [255, 20, 255]];
        let lower = [[100, 30, 255], [7, 40, 255]];
        // A quarter to the right, half down: red 70.25, green 22.5.
        assert_eq!(mixed(&upper, &lower, [64, 128]), [70, 23, 255]);
        assert_eq!(mixed(&upper, &lower, [256, 0]), upper[1]);
    }

    #[test]
    fn no_distortion_is_the_plain_warp() {
        let src = dotted(80, [30.0, 50.0], 9.0);
        for scale in [0.3, 1.4] {
            let map = Affine::rotation(0.5, scale, [40.0, 30.0]);
            let none = Distortion::default();
            let out = warp_distorted(&src, &map, &none, [64, 48], [7; 3]).unwrap();
            assert_eq!(out, warp(&src, &map, [64, 48], [7; 3]).unwrap());
        }
    }

    #[test]
    fn beyond_the_horizon_is_fill() {
        // The sides meet at y = 30: nothing is seen above that.
        let corners = [[50.0, 45.0], [70.0, 45.0], [120.0, 120.0], [0.0, 120.0]];
        let distortion = Distortion {
            perspective: Homography::from_corners([OUT as f32; 2], corners),
            yaw: None,
        };
        let src = RgbImage::from_pixel(400, 400, image::Rgb([200; 3]));
        let map = Affine::scale_shift(0.3, [0.0; 2]);
        let out = warp_distorted(&src, &map, &distortion, [OUT; 2], [5; 3]).unwrap();
        assert_eq!(out.get_pixel(60, 10).0, [5; 3]);
        assert_eq!(out.get_pixel(60, 100).0, [200; 3]);
    }
}
