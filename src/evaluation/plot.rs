//! The cumulative error distribution as an SVG plot.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::metrics::alignment::FAILURE;

/// Pixels.
const SIZE: (u32, u32) = (720, 480);

/// The cumulative error distribution of `faces` (errors in the joint protocol) from 0 to 0.10:
/// for each error the share of faces that is at most that far off. `title` stands above.
///
/// # Errors
/// When the plot cannot be drawn.
pub fn ced_svg(errors: &[f64], title: &str) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, errors, title).map_err(|error| anyhow!("cannot draw the CED: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, errors: &[f64], title: &str) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
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
    let blue = RGBColor(30, 90, 200);
    let line = ShapeStyle::from(&blue).stroke_width(2);
    chart.draw_series(LineSeries::new(steps(errors), line))?;
    root.present()?;
    Ok(())
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
    fn the_plot_is_svg() {
        let svg = ced_svg(&[0.01, 0.2], "a model").unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("a model") && svg.contains("polyline"));
    }
}
