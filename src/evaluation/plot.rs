//! The cumulative error distribution as an SVG plot.

use anyhow::Result;

use crate::metrics::alignment::FAILURE;
use crate::render::{self, Plot};

/// The errors of one model.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// What the legend calls it.
    pub name: &'a str,
    /// Of each face in the joint protocol, in any order.
    pub errors: &'a [f64],
}

/// The cumulative error distributions of `curves` from 0 to 0.10: for each error the share of faces
/// that is at most that far off. `title` stands above.
///
/// # Errors
/// When the plot cannot be drawn.
pub fn ced_svg(curves: &[Curve<'_>], title: &str) -> Result<String> {
    let curve = |curve: &Curve<'_>| render::Curve {
        name: curve.name.to_owned(),
        corners: steps(curve.errors),
    };
    let plot = Plot {
        title,
        axes: ["NME, % of the normalising distance", "share of faces"],
        ranges: [0.0..100.0 * FAILURE, 0.0..1.0],
        curves: curves.iter().map(curve).collect(),
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
        let curve = Curve {
            name: "alone",
            errors: &[0.01, 0.2],
        };
        let svg = ced_svg(&[curve], "a model").unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("a model") && svg.contains("polyline"));
    }
}
