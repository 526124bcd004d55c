//! 300-W landmark files.

use std::fmt::Write;

use crate::geometry::Point;

/// The text of a 300-W `.pts` file. Its coordinates count from 1 (Matlab's way), ours from 0.
pub fn pts_text(landmarks: &[Point]) -> String {
    let mut text = format!("version: 1\nn_points: {}\n{{\n", landmarks.len());
    for [x, y] in landmarks {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:.3} {:.3}", x + 1.0, y + 1.0);
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_one() {
        let text = pts_text(&[[0.0, 1.5], [10.25, -3.0]]);
        assert_eq!(
            text,
            "version: 1\nn_points: 2\n{\n1.000 2.500\n11.250 -2.000\n}\n"
        );
    }
}
