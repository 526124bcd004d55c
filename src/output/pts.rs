//! 300-W landmark files.

use std::fmt::Write;

use crate::geometry::{Point, to_pts};

/// The text of a 300-W `.pts` file, whose coordinates are Matlab's (see [`to_pts`]).
pub fn pts_text(landmarks: &[Point]) -> String {
    let mut text = format!("version: 1\nn_points: {}\n{{\n", landmarks.len());
    for &point in landmarks {
        let [x, y] = to_pts(point);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{x:.3} {y:.3}");
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_the_first_pixel_is_one() {
        let text = pts_text(&[[0.5, 2.0], [10.75, -2.5]]);
        assert_eq!(
            text,
            "version: 1\nn_points: 2\n{\n1.000 2.500\n11.250 -2.000\n}\n"
        );
    }
}
