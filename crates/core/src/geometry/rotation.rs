//! Rotations of space as matrices, in axes x right, y up, z towards the camera.

/// The rows of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rotation(pub [[f64; 3]; 3]);

/// Steps of [`Rotation::nearest`] at most; each doubles the correct digits once it is close.
const STEPS: usize = 64;

impl Rotation {
    /// Positive: what points to the camera turns up.
    pub fn about_x(angle: f64) -> Self {
        let (s, c) = angle.sin_cos();
        Self([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])
    }

    /// Positive: what points to the camera turns left.
    pub fn about_y(angle: f64) -> Self {
        let (s, c) = angle.sin_cos();
        Self([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])
    }

    /// Positive: clockwise as the camera sees it.
    pub fn about_z(angle: f64) -> Self {
        let (s, c) = angle.sin_cos();
        Self([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    }

    /// The matrix product: `inner` first, `self` after it.
    pub fn of(&self, inner: &Self) -> Self {
        let column = |j: usize| inner.0.map(|row| row[j]);
        let columns = [0, 1, 2].map(column);
        Self(self.0.map(|row| columns.map(|column| dot(row, column))))
    }

    /// The sum of both matrices, which is no rotation; see [`Self::nearest`].
    pub fn plus(&self, other: &Self) -> [[f64; 3]; 3] {
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| self.0[i][j] + other.0[i][j]))
    }

    /// The rotation closest to a matrix, however long its rows are: its polar factor (Newton's
    /// iteration, Higham, 1986). `None` where the matrix mirrors or flattens space.
    pub fn nearest(mut rows: [[f64; 3]; 3]) -> Option<Self> {
        let size = dot(rows[0], cross(rows[1], rows[2])).cbrt();
        if !(size.is_normal() && size > 0.0) {
            return None;
        }
        rows = rows.map(|row| row.map(|v| v / size));
        for _ in 0..STEPS {
            let [a, b, c] = rows;
            let cofactors = [cross(b, c), cross(c, a), cross(a, b)];
            let volume = dot(a, cofactors[0]);
            let next =
                [0, 1, 2].map(|i| [0, 1, 2].map(|j| (rows[i][j] + cofactors[i][j] / volume) * 0.5));
            let moved = (rows.iter().flatten().zip(next.iter().flatten()))
                .map(|(old, new)| (old - new).abs())
                .fold(0.0, f64::max);
            rows = next;
            if moved < 1e-12 {
                break;
            }
        }
        let finite = rows.iter().flatten().all(|v| v.is_finite());
        finite.then_some(Self(rows))
    }
}

/// The scalar product.
pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The vector product.
pub(super) fn cross([a, b, c]: [f64; 3], [d, e, f]: [f64; 3]) -> [f64; 3] {
    [b * f - c * e, c * d - a * f, a * e - b * d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(a: &Rotation, b: &Rotation) {
        for (a, b) in a.0.iter().flatten().zip(b.0.iter().flatten()) {
            assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        }
    }

    #[test]
    fn the_nearest_rotation_forgets_lengths_and_skew() {
        let turn = Rotation::about_z(0.4).of(&Rotation::about_x(-1.1));
        let longer = turn.0.map(|row| row.map(|v| v * 250.0));
        assert_near(&Rotation::nearest(longer).unwrap(), &turn);
        // A stretch along the axes that are turned: R S with S symmetric has R for its polar factor.
        let stretch = [[2.0, 0.3, 0.0], [0.3, 1.0, 0.0], [0.0, 0.0, 0.2]];
        let skewed = turn.of(&Rotation(stretch)).0;
        assert_near(&Rotation::nearest(skewed).unwrap(), &turn);
        let [a, b, c] = turn.0;
        assert_eq!(Rotation::nearest([b, a, c]), None);
        assert_eq!(Rotation::nearest([a, a, c]), None);
        assert_eq!(Rotation::nearest([[0.0; 3]; 3]), None);
        assert_eq!(Rotation::nearest([[f64::NAN; 3]; 3]), None);
    }

    #[test]
    fn the_middle_of_two_turns_is_half_of_both() {
        let half = Rotation::about_y(1.4);
        let both = Rotation::about_y(0.0).plus(&Rotation::about_y(2.8));
        assert_near(&Rotation::nearest(both).unwrap(), &half);
    }
}
