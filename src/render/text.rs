//! Text in the Hack font.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::RgbImage;

use super::{Style, shapes};
use crate::geometry::{BoxXyxy, Point};

fn font() -> Option<&'static FontRef<'static>> {
    static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    FONT.get_or_init(|| FontRef::try_from_slice(epaint_default_fonts::HACK_REGULAR).ok())
        .as_ref()
}

/// Heights outside this range are taken as its ends, so that no number costs much memory.
fn usable(height: f32) -> f32 {
    if height.is_nan() {
        12.0
    } else {
        height.clamp(4.0, 400.0)
    }
}

/// Width and height of a line of text that is `height` pixels high.
pub fn text_size(height: f32, line: &str) -> [f32; 2] {
    let height = usable(height);
    let width = font().map_or(0.0, |font| {
        let scaled = font.as_scaled(PxScale::from(height));
        line.chars()
            .map(|c| scaled.h_advance(scaled.glyph_id(c)))
            .sum()
    });
    [width, height]
}

/// Draw one line of text, `at` being its top left corner.
pub fn text(image: &mut RgbImage, at: Point, height: f32, colour: [u8; 3], line: &str) {
    let (width, rows) = image.dimensions();
    let inside = |v: f32, size: u32| v.is_finite() && v.abs() < size as f32 + 1e4;
    let (Some(font), true) = (font(), inside(at[0], width) && inside(at[1], rows)) else {
        return;
    };
    let scale = PxScale::from(usable(height));
    let scaled = font.as_scaled(scale);
    let mut pen = at[0];
    for c in line.chars() {
        let id = scaled.glyph_id(c);
        let glyph = id.with_scale_and_position(scale, point(pen, at[1] + scaled.ascent()));
        pen += scaled.h_advance(id);
        if pen < 0.0 {
            continue;
        }
        if pen - scaled.h_advance(id) > width as f32 {
            break;
        }
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, cover| {
                let (px, py) = (corner.x + x as f32, corner.y + y as f32);
                if px >= 0.0 && py >= 0.0 {
                    shapes::blend(image, px as u32, py as u32, colour, cover);
                }
            });
        }
    }
}

/// `label` on a plate of the style's colour above the box, or inside it where there is no room.
pub(super) fn plate(image: &mut RgbImage, b: &BoxXyxy, label: &str, style: &Style) {
    let (width, height) = image.dimensions();
    let [w, h] = text_size(style.text, label);
    let pad = (h * 0.15).ceil();
    let (plate_w, plate_h) = (w + 2.0 * pad, h + pad);
    let visible = b.x1 < width as f32 && b.y1 < height as f32 && b.x2 > 0.0 && b.y2 > 0.0;
    if !visible {
        return;
    }
    let x = b.x1.min(width as f32 - plate_w).max(0.0);
    let y = if b.y1 >= plate_h {
        b.y1 - plate_h
    } else {
        b.y1.max(0.0)
    };
    shapes::fill_rect(image, x, y, x + plate_w, y + plate_h, style.colour);
    text(
        image,
        [x + pad, y + pad * 0.5],
        h,
        contrast(style.colour),
        label,
    );
}

/// Black or white, whichever is easier to read on `colour`.
fn contrast([r, g, b]: [u8; 3]) -> [u8; 3] {
    let light = 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    if light > 140.0 { [0; 3] } else { [255; 3] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leaves_ink_inside_its_size_only() {
        let mut image = RgbImage::new(120, 40);
        text(&mut image, [10.0, 10.0], 16.0, [255; 3], "0.98");
        let [w, h] = text_size(16.0, "0.98");
        let mut ink = 0;
        for (x, y, p) in image.enumerate_pixels() {
            if p.0[0] > 128 {
                ink += 1;
                assert!((10.0..10.0 + w).contains(&(x as f32)), "{x}");
                assert!((10.0..=10.0 + h).contains(&(y as f32)), "{y}");
            }
        }
        assert!(ink > 30);
    }
}
