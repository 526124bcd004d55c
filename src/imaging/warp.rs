//! Affine warps: any crop, scale, rotation and mirror in one step.

use image::RgbImage;

use super::resize::resize_region;
use crate::geometry::Affine;

/// Shrinking by less than this needs no filter before the bilinear one.
const MILD_SHRINK: f32 = 0.8;

/// Draw `src` through `map` (source point -> target point) into an image of `out` =
/// `[width, height]` pixels; where the source ends, `fill` begins.
///
/// Bilinear; when the map shrinks, the part of the source that is needed is first shrunk with an
/// anti-aliasing filter. The cost depends on that part, not on the whole source. A map that
/// flattens the plane gives an image of `fill`.
pub fn warp(src: &RgbImage, map: &Affine, out: [u32; 2], fill: [u8; 3]) -> RgbImage {
    let mut target = RgbImage::from_pixel(out[0], out[1], image::Rgb(fill));
    let Some(inverse) = map.inverse() else {
        return target;
    };
    // Target pixels per source pixel, along each axis of the source.
    let scale = [
        map.row_x[0].hypot(map.row_y[0]),
        map.row_x[1].hypot(map.row_y[1]),
    ];
    if scale.iter().all(|&s| s >= MILD_SHRINK) {
        sample(src, &inverse, &mut target);
        return target;
    }
    let Some([x, y, w, h]) = needed_region(src, &inverse, out, scale) else {
        return target;
    };
    let shrunk = |side: u32, scale: f32| (side as f32 * scale.min(1.0)).ceil().max(1.0) as u32;
    let small = [shrunk(w, scale[0]), shrunk(h, scale[1])];
    if let Ok(part) = resize_region(src, [x, y, w, h], small) {
        let (kx, ky) = (small[0] as f32 / w as f32, small[1] as f32 / h as f32);
        let to_part = Affine {
            row_x: [kx, 0.0, -(x as f32) * kx],
            row_y: [0.0, ky, -(y as f32) * ky],
        };
        sample(&part, &inverse.then(&to_part), &mut target);
    }
    target
}

/// `[x, y, width, height]` of the source that the target sees, with a margin for the filters;
/// `None` when it sees nothing.
fn needed_region(
    src: &RgbImage,
    inverse: &Affine,
    out: [u32; 2],
    scale: [f32; 2],
) -> Option<[u32; 4]> {
    let [w, h] = out.map(|v| v as f32);
    let corners = [[0.0, 0.0], [w, 0.0], [0.0, h], [w, h]].map(|p| inverse.apply(p));
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

/// Bilinear sampling at `inverse` (target -> source) of each target pixel's centre. Pixels whose
/// centre lies outside the source keep their colour; at the edge the last pixel is repeated.
fn sample(src: &RgbImage, inverse: &Affine, target: &mut RgbImage) {
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
            if let Some(rgb) = source.at(inverse.apply([x as f32 + 0.5, ty])) {
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
    #[inline]
    fn at(&self, [x, y]: [f32; 2]) -> Option<[u8; 3]> {
        if !(x >= 0.0 && y >= 0.0 && x < self.size[0] && y < self.size[1]) {
            return None;
        }
        let (x0, x1, fx) = neighbours(x, self.last[0]);
        let (y0, y1, fy) = neighbours(y, self.last[1]);
        let upper = y0 * self.row_bytes;
        let lower = y1 * self.row_bytes;
        let at = |start: usize| {
            let p = &self.pixels[start..start + 3];
            [u32::from(p[0]), u32::from(p[1]), u32::from(p[2])]
        };
        let (a, b) = (at(upper + 3 * x0), at(upper + 3 * x1));
        let (c, d) = (at(lower + 3 * x0), at(lower + 3 * x1));
        Some(std::array::from_fn(|i| {
            let top = a[i] * (256 - fx) + b[i] * fx;
            let bottom = c[i] * (256 - fx) + d[i] * fx;
            ((top * (256 - fy) + bottom * fy + (1 << 15)) >> 16) as u8
        }))
    }
}

/// The two pixels whose centres surround `v`, and the share of the second one in 1/256.
#[inline]
fn neighbours(v: f32, last: i32) -> (usize, usize, u32) {
    let v = v - 0.5;
    let floor = v.floor();
    let first = floor as i32;
    let share = ((v - floor) * 256.0 + 0.5) as u32;
    let clamp = |i: i32| i.clamp(0, last) as usize;
    (clamp(first), clamp(first + 1), share)
}
