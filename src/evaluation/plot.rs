//! The cumulative error distribution as an SVG plot.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::metrics::alignment::FAILURE;

/// Of the plot without a legend, pixels.
const SIZE: (u32, u32) = (720, 480);
/// Height of a legend's line, and of its text.
const LINE: (i32, i32) = (18, 13);
/// Length of a legend's strokes, and what is left free around them.
const STROKE: (i32, i32) = (22, 8);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The errors of one model.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// What the legend calls it.
    pub name: &'a str,
    /// Of each face in the joint protocol, in any order.
    pub errors: &'a [f64],
}

/// The cumulative error distributions of `curves` from 0 to 0.10: for each error the share of faces
/// that is at most that far off. `title` stands above; where there are several curves, a legend
/// beside them.
///
/// # Errors
/// When the plot cannot be drawn.
pub fn ced_svg(curves: &[Curve<'_>], title: &str) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, curves, title).map_err(|error| anyhow!("cannot draw the CED: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, curves: &[Curve<'_>], title: &str) -> Drawn<()> {
    let lines = if curves.len() > 1 { curves.len() } else { 0 };
    let legend = legend_width(&curves[..lines])?;
    let height = SIZE.1.max((lines as u32 + 4) * LINE.0 as u32);
    let root = SVGBackend::with_string(svg, (SIZE.0 + legend, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (plot, beside) = root.split_horizontally(SIZE.0);
    let mut chart = ChartBuilder::on(&plot)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(54)
        .build_cartesian_2d(0.0..100.0 * FAILURE, 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc("NME, % of the normalising distance")
        .y_desc("share of faces")
        .draw()?;
    for (at, curve) in curves.iter().enumerate() {
        chart.draw_series(LineSeries::new(
            steps(curve.errors),
            style(at, curves.len()),
        ))?;
    }
    for (at, curve) in curves[..lines].iter().enumerate() {
        draw_name(&beside, at, curve.name, style(at, lines))?;
    }
    root.present()?;
    Ok(())
}

/// The width that the names need, pixels; 0 without any.
fn legend_width(curves: &[Curve<'_>]) -> Drawn<u32> {
    let mut unused = String::new();
    let area = SVGBackend::with_string(&mut unused, SIZE).into_drawing_area();
    let font = ("sans-serif", LINE.1).into_text_style(&area);
    let mut widest = 0;
    for curve in curves {
        let (width, _) = area.estimate_text_size(curve.name, &font)?;
        widest = widest.max(width + (STROKE.0 + 3 * STROKE.1) as u32);
    }
    Ok(widest)
}

fn draw_name(area: &Area<'_>, at: usize, name: &str, style: ShapeStyle) -> Drawn<()> {
    let y = (at as i32 + 2) * LINE.0;
    area.draw(&PathElement::new([(0, y), (STROKE.0, y)], style))?;
    let place = (STROKE.0 + STROKE.1, y - LINE.1 / 2);
    area.draw(&Text::new(name, place, ("sans-serif", LINE.1)))?;
    Ok(())
}

/// Colours as far from each other as `count` hues can be, blue first.
fn style(at: usize, count: usize) -> ShapeStyle {
    let hue = (0.6 + at as f64 / count as f64).fract();
    ShapeStyle::from(&HSLColor(hue, 0.75, 0.42)).stroke_width(2)
}

/// Corners of the step function, per cent against share.
fn steps(errors: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<f64> = errors.iter().copied().filter(|&e| e <= FAILURE).collect();
    sorted.sort_by(f64::total_cmp);
    let mut corners = vec![(0.0, 0.0)];
    let mut share = 0.0;
    for (i, error) in sorted.iter().enumerate() {
        corners.push((100.0 * error, share));
        share = (i + 1) as f64 / errors.len() as f64;
        corners.push((100.0 * error, share));
    }
    corners.push((100.0 * FAILURE, share));
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_at_the_share_below_the_limit() {
        let corners = steps(&[0.05, 1.0, 0.02, 0.5]);
        assert_eq!(corners[1], (2.0, 0.0));
        assert_eq!(corners[2], (2.0, 0.25));
        assert_eq!(corners.last(), Some(&(10.0, 0.5)));
        assert_eq!(steps(&[]), [(0.0, 0.0), (10.0, 0.0)]);
    }

    #[test]
    fn the_plot_is_svg_with_a_legend_where_there_are_several() {
        let errors = [0.01, 0.2];
        let curve = |name| Curve {
            name,
            errors: &errors,
        };
        let one = ced_svg(&[curve("alone")], "a model").unwrap();
        assert!(one.starts_with("<svg width=\"720\" height=\"480\"") && one.contains("a model"));
        assert!(one.contains("polyline") && !one.contains("alone"));
        let names: Vec<String> = (0..40).map(|i| format!("run <{i}>")).collect();
        let many: Vec<Curve> = names.iter().map(|name| curve(name)).collect();
        let svg = ced_svg(&many, "models").unwrap();
        assert!(names.iter().all(|name| {
            let name = name.replace('<', "&lt;").replace('>', "&gt;");
            svg.contains(&name)
        }));
        let colours = |i| style(i, 40).color;
        assert_ne!(colours(0), colours(1));
        assert!(svg.matches("<polyline").count() >= one.matches("<polyline").count() + 2 * 40 - 1);
        assert!(svg.starts_with("<svg") && !svg.contains("height=\"480\""));
    }
}
