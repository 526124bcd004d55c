//! Plots of one curve, as SVG or pixels.

use std::ops::Range;

use anyhow::{Result, anyhow};
use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

/// Pixels.
const SIZE: (u32, u32) = (720, 480);
const FONT: &str = "sans-serif";

/// A curve and what stands around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot<'a> {
    /// Above it.
    pub title: &'a str,
    /// What the axes count: across, upwards.
    pub axes: [&'a str; 2],
    /// What of them is seen.
    pub ranges: [Range<f64>; 2],
    /// Corners of the curve.
    pub curve: Vec<(f64, f64)>,
}

impl Plot<'_> {
    /// The plot as an SVG file.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.draw(SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())?;
        Ok(svg)
    }

    /// The plot in pixels.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn picture(&self) -> Result<RgbImage> {
        let mut picture = RgbImage::new(SIZE.0, SIZE.1);
        self.draw(BitMapBackend::with_buffer(&mut picture, SIZE).into_drawing_area())?;
        Ok(picture)
    }

    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, Shift>) -> Result<()> {
        register_font(FONT, FontStyle::Normal, epaint_default_fonts::HACK_REGULAR)
            .map_err(|_| anyhow!("the font of plots is damaged"))?;
        self.try_draw(&area)
            .map_err(|error| anyhow!("cannot draw the plot {:?}: {error}", self.title))
    }

    fn try_draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        area.fill(&WHITE)?;
        let [x, y] = &self.ranges;
        let mut chart = ChartBuilder::on(area)
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
        let blue = RGBColor(30, 90, 200);
        let line = ShapeStyle::from(&blue).stroke_width(2);
        chart.draw_series(LineSeries::new(self.curve.iter().copied(), line))?;
        area.present()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(curve: Vec<(f64, f64)>) -> Plot<'static> {
        Plot {
            title: "a title",
            axes: ["across", "upwards"],
            ranges: [0.0..10.0, 0.0..1.0],
            curve,
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
}
