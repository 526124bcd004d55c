//! The cumulative error distribution as an SVG plot.

use anyhow::Result;

use crate::metrics::alignment::FAILURE;
use crate::render::Plot;

/// The cumulative error distribution of `faces` (errors in the joint protocol) from 0 to 0.10:
/// for each error the share of faces that is at most that far off. `title` stands above.
///
/// # Errors
/// When the plot cannot be drawn.
pub fn ced_svg(errors: &[f64], title: &str) -> Result<String> {
    let plot = Plot {
        title,
        axes: ["NME, % of the normalising distance", "share of faces"],
        ranges: [0.0..100.0 * FAILURE, 0.0..1.0],
        curve: steps(errors),
    };
    plot.svg()
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
