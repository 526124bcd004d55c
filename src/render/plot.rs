//! Plots of curves, as SVG or pixels.

use std::ops::Range;

use anyhow::{Result, anyhow};
use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

/// Of the plot without a legend, pixels.
const SIZE: (u32, u32) = (720, 480);
const FONT: &str = "sans-serif";
/// Height of a legend's line, and of its text.
const LINE: (i32, i32) = (18, 13);
/// Length of a legend's strokes, and what is left free around them.
const STROKE: (i32, i32) = (22, 8);

/// One of the lines of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What the legend calls it.
    pub name: String,
    /// From left to right.
    pub corners: Vec<(f64, f64)>,
}

/// Curves and what stands around them: where there are several, a legend too.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot<'a> {
    /// Above it.
    pub title: &'a str,
    /// What the axes count: across, upwards.
    pub axes: [&'a str; 2],
    /// What of them is seen.
    pub ranges: [Range<f64>; 2],
    /// The first one is blue.
    pub curves: Vec<Curve>,
}

impl Plot<'_> {
    /// The plot as an SVG file.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        let size = self.size()?;
        self.draw(SVGBackend::with_string(&mut svg, size).into_drawing_area())?;
        Ok(svg)
    }

    /// The plot in pixels.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn picture(&self) -> Result<RgbImage> {
        let size = self.size()?;
        let mut picture = RgbImage::new(size.0, size.1);
        self.draw(BitMapBackend::with_buffer(&mut picture, size).into_drawing_area())?;
        Ok(picture)
    }

    /// Curves that the legend names.
    fn named(&self) -> &[Curve] {
        if self.curves.len() > 1 {
            &self.curves
        } else {
            &[]
        }
    }

    fn size(&self) -> Result<(u32, u32)> {
        register_font(FONT, FontStyle::Normal, epaint_default_fonts::HACK_REGULAR)
            .map_err(|_| anyhow!("the font of plots is damaged"))?;
        let mut unused = String::new();
        let area = SVGBackend::with_string(&mut unused, SIZE).into_drawing_area();
        let font = (FONT, LINE.1).into_text_style(&area);
        let mut widest = 0;
        for curve in self.named() {
            let text = area.estimate_text_size(&curve.name, &font);
            let (width, _) = text.map_err(|error| anyhow!("cannot draw a legend: {error}"))?;
            widest = widest.max(width + (STROKE.0 + 3 * STROKE.1) as u32);
        }
        let lines = (self.named().len() as u32 + 4) * LINE.0 as u32;
        Ok((SIZE.0 + widest, SIZE.1.max(lines)))
    }

    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, Shift>) -> Result<()> {
        self.try_draw(&area)
            .map_err(|error| anyhow!("cannot draw the plot {:?}: {error}", self.title))
    }

    fn try_draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        area.fill(&WHITE)?;
        let (plot, beside) = area.split_horizontally(SIZE.0);
        let [x, y] = &self.ranges;
        let mut chart = ChartBuilder::on(&plot)
            .caption(self.title, (FONT, 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(x.clone(), y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.axes[0])
            .y_desc(self.axes[1])
            .draw()?;
        for (at, curve) in self.curves.iter().enumerate() {
            let corners = curve.corners.iter().copied();
            chart.draw_series(LineSeries::new(corners, style(at, self.curves.len())))?;
        }
        for (at, curve) in self.named().iter().enumerate() {
            let y = (at as i32 + 2) * LINE.0;
            let stroke = PathElement::new([(0, y), (STROKE.0, y)], style(at, self.curves.len()));
            beside.draw(&stroke)?;
            let place = (STROKE.0 + STROKE.1, y - LINE.1 / 2);
            beside.draw(&Text::new(curve.name.as_str(), place, (FONT, LINE.1)))?;
        }
        area.present()
    }
}

/// Colours as far from each other as `count` hues can be, blue first.
fn style(at: usize, count: usize) -> ShapeStyle {
    let hue = (0.6 + at as f64 / count as f64).fract();
    ShapeStyle::from(&HSLColor(hue, 0.75, 0.42)).stroke_width(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(curve: Vec<(f64, f64)>) -> Plot<'static> {
        Plot {
            title: "a title",
            axes: ["across", "upwards"],
            ranges: [0.0..10.0, 0.0..1.0],
            curves: vec![Curve {
                name: "alone".into(),
                corners: curve,
            }],
        }
    }

    #[test]
    fn the_svg_has_words_and_a_curve() {
        let svg = plot(vec![(0.0, 0.0), (5.0, 1.0)]).svg().unwrap();
        for part in ["<svg", "a title", "across", "upwards", "polyline"] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn the_curve_is_where_its_numbers_are() {
        let is_blue = |p: &image::Rgb<u8>| p.0[2] > 150 && p.0[0] < 80;
        let blue_rows = |height: f64| -> Vec<u32> {
            let picture = plot(vec![(0.0, height), (10.0, height)]).picture().unwrap();
            let blue = picture.enumerate_pixels().filter(|(_, _, p)| is_blue(p));
            let mut rows: Vec<u32> = blue.map(|(_, y, _)| y).collect();
            rows.dedup();
            rows
        };
        let (low, high) = (blue_rows(0.25), blue_rows(0.75));
        assert!((1..=4).contains(&low.len()) && (1..=4).contains(&high.len()));
        // Half the height of what is seen lies between the two.
        assert!((150..300).contains(&(low[0] - high[0])), "{low:?} {high:?}");
        let words = plot(Vec::new()).picture().unwrap();
        assert!(words.pixels().filter(|p| p.0 == [0; 3]).count() > 500);
    }

    #[test]
    fn several_curves_have_a_legend() {
        let mut many = plot(vec![(0.0, 0.0), (5.0, 1.0)]);
        let alone = many.svg().unwrap();
        assert!(alone.starts_with("<svg width=\"720\" height=\"480\"") && !alone.contains("alone"));
        many.curves = (0..40)
            .map(|i| Curve {
                name: format!("run <{i}>"),
                ..many.curves[0].clone()
            })
            .collect();
        let svg = many.svg().unwrap();
        assert!((0..40).all(|i| svg.contains(&format!("run &lt;{i}&gt;"))));
        assert!(!svg.contains("height=\"480\""));
        assert_ne!(style(0, 40).color, style(1, 40).color);
    }
}
