//! Drawing on `RgbImage`s: boxes, points, text, mosaics; plots. Coordinates may lie anywhere, also
//! outside the image or nowhere (NaN): what cannot be seen is not drawn.

mod mosaic;
mod plot;
mod shapes;
mod text;

use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::fs;
use crate::geometry::{BoxXyxy, Point};

pub use mosaic::{Tile, mosaic};
pub use plot::{Curve, Plot};
pub use shapes::{disc, fill_rect, ring};
pub use text::{text, text_size};

/// Colour of ground truth.
pub const TRUTH: [u8; 3] = [40, 220, 60];
/// Colour of predictions.
pub const PREDICTION: [u8; 3] = [50, 130, 255];
/// Colour of predictions whose points are not to be trusted.
pub const UNSURE: [u8; 3] = [255, 140, 30];
/// Colour of regions that are neither face nor background.
pub const IGNORED: [u8; 3] = [200, 200, 200];

/// What a point is drawn as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A disc with a soft edge.
    #[default]
    Disc,
    /// An upright square.
    Square,
    /// A thin upright cross, through which what lies below is seen.
    Cross,
}

/// How faces are drawn. Lengths in pixels of the image that is drawn on.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Colour of box, points and label.
    pub colour: [u8; 3],
    /// Width of the box's lines.
    pub line: f32,
    /// What points are drawn as.
    pub mark: Mark,
    /// Largest radius of a point; small faces get smaller points.
    pub radius: f32,
    /// Height of text.
    pub text: f32,
    /// Dashed instead of solid box.
    pub dashed: bool,
    /// Each point's index beside it.
    pub numbered: bool,
}

impl Style {
    /// Lines, points and text that suit a `width` x `height` image.
    pub fn for_size(colour: [u8; 3], width: u32, height: u32) -> Self {
        let side = (width as f32 * height as f32).sqrt();
        Self {
            colour,
            line: (side / 350.0).round().clamp(1.0, 12.0),
            mark: Mark::default(),
            radius: (side / 300.0).clamp(1.4, 12.0),
            text: (side / 45.0).clamp(10.0, 80.0),
            dashed: false,
            numbered: false,
        }
    }

    /// The same with points of another shape.
    #[must_use]
    pub const fn marked(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }

    /// The same with a dashed box.
    #[must_use]
    pub const fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// The same with numbers beside the points.
    #[must_use]
    pub const fn numbered(mut self) -> Self {
        self.numbered = true;
        self
    }

    /// Radius of the points of a face that is `side` pixels large.
    fn radius_for(&self, side: f32) -> f32 {
        let fit = side / 90.0;
        if fit.is_finite() {
            fit.clamp(0.6, self.radius.max(0.6))
        } else {
            self.radius
        }
    }
}

/// Draw one face: its box, `label` on a plate at the box's top left corner, and its points.
pub fn draw_face(
    image: &mut RgbImage,
    box_xyxy: &BoxXyxy,
    label: Option<&str>,
    landmarks: &[Point],
    style: &Style,
) {
    draw_box(image, box_xyxy, label, style);
    let points = landmarks.iter().map(|&p| (p, true));
    draw_points(image, points, box_xyxy.side(), style);
}

/// Draw a box, and `label` on a plate at its top left corner.
pub fn draw_box(image: &mut RgbImage, box_xyxy: &BoxXyxy, label: Option<&str>, style: &Style) {
    shapes::outline(image, box_xyxy, style.line, style.dashed, style.colour);
    if let Some(label) = label {
        text::plate(image, box_xyxy, label, style);
    }
}

/// Draw the points of a face that is `face_side` pixels large, each with the word whether it is
/// filled; the others (masked ones) are hollow.
pub fn draw_points(
    image: &mut RgbImage,
    points: impl IntoIterator<Item = (Point, bool)>,
    face_side: f32,
    style: &Style,
) {
    let radius = style.radius_for(face_side);
    for (i, (p, filled)) in points.into_iter().enumerate() {
        if filled {
            shapes::mark(image, p, radius, style.mark, style.colour);
        } else {
            ring(image, p, radius + 1.5, style.colour);
        }
        if style.numbered {
            let height = (face_side / 28.0).clamp(7.0, 18.0);
            let at = [p[0] + radius + 1.0, p[1] - height * 0.5];
            text(image, at, height, style.colour, &i.to_string());
        }
    }
}

/// Write a picture as JPEG of quality 90.
///
/// # Errors
/// Names `path` when it cannot be written.
pub fn save_jpeg(path: &Path, image: &RgbImage) -> Result<()> {
    fs::write_atomic_unsynced(path, |out| {
        Ok(image.write_with_encoder(JpegEncoder::new_with_quality(out, 90))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(w: u32, h: u32) -> RgbImage {
        RgbImage::new(w, h)
    }

    #[test]
    fn nothing_panics_whatever_the_numbers() {
        let odd = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            -5.0,
            0.0,
            3.0,
            1e9,
        ];
        for (w, h) in [(0, 0), (1, 1), (1, 40), (64, 48)] {
            let mut image = canvas(w, h);
            for a in odd {
                for b in odd {
                    let boxes = [BoxXyxy::new(a, b, b, a), BoxXyxy::new(a, a, b, b)];
                    for style in [
                        Style::for_size(TRUTH, w, h).numbered(),
                        Style::for_size(PREDICTION, w, h).dashed(),
                        Style::for_size(TRUTH, w, h).marked(Mark::Square),
                        Style::for_size(TRUTH, w, h).marked(Mark::Cross),
                    ] {
                        for bx in &boxes {
                            draw_face(&mut image, bx, Some("0.98 ü"), &[[a, b]], &style);
                            draw_points(&mut image, [([a, b], false)], a, &style);
                        }
                    }
                    text(&mut image, [a, b], a, TRUTH, "x");
                    disc(&mut image, [a, b], b, TRUTH);
                    ring(&mut image, [a, b], b, TRUTH);
                    fill_rect(&mut image, a, b, b, a, TRUTH);
                }
            }
        }
    }

    #[test]
    fn a_box_is_where_it_should_be_and_hollow() {
        let mut image = canvas(40, 40);
        let style = Style::for_size(TRUTH, 40, 40);
        draw_box(
            &mut image,
            &BoxXyxy::new(10.0, 10.0, 30.0, 30.0),
            None,
            &style,
        );
        for (x, y) in [(10, 10), (10, 20), (20, 10), (30, 30), (30, 20)] {
            assert_eq!(image.get_pixel(x, y).0, TRUTH, "({x}, {y})");
        }
        assert_eq!(image.get_pixel(20, 20).0, [0; 3]);
        assert_eq!(image.get_pixel(5, 5).0, [0; 3]);
    }

    #[test]
    fn a_dashed_box_has_gaps() {
        let style = Style::for_size(TRUTH, 100, 100).dashed();
        let mut image = canvas(100, 100);
        draw_box(
            &mut image,
            &BoxXyxy::new(10.0, 10.0, 90.0, 90.0),
            None,
            &style,
        );
        let drawn = (10..90)
            .filter(|&x| image.get_pixel(x, 10).0 == TRUTH)
            .count();
        assert!((20..70).contains(&drawn), "{drawn}");
    }

    #[test]
    fn points_are_filled_or_hollow() {
        let mut style = Style::for_size(TRUTH, 60, 60);
        style.radius = 4.0;
        let mut image = canvas(60, 60);
        let points = [([15.5, 15.5], true), ([40.5, 40.5], false)];
        draw_points(&mut image, points, 400.0, &style);
        assert_eq!(image.get_pixel(15, 15).0, TRUTH);
        assert_eq!(image.get_pixel(40, 40).0, [0; 3]);
    }

    #[test]
    fn marks_have_their_shapes() {
        let drawn = |mark| {
            let mut image = canvas(21, 21);
            let mut style = Style::for_size(TRUTH, 21, 21).marked(mark);
            style.radius = 4.0;
            draw_points(&mut image, [([10.5, 10.5], true)], 400.0, &style);
            move |x, y| image.get_pixel(x, y).0 == TRUTH
        };
        let (disc, square, cross) = (drawn(Mark::Disc), drawn(Mark::Square), drawn(Mark::Cross));
        // Middle, beside it, corner, end of an arm.
        let places = [(10, 10), (12, 12), (13, 13), (10, 15)];
        let of = |at: &dyn Fn(u32, u32) -> bool| places.map(|(x, y)| at(x, y));
        assert_eq!(of(&disc), [true, true, false, false]);
        assert_eq!(of(&square), [true, true, true, false]);
        assert_eq!(of(&cross), [true, false, false, true]);
    }
}
