//! 2x3 affine maps.

use super::Point;

/// `x' = a x + b y + c`, `y' = d x + e y + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// First row `[a, b, c]`.
    pub row_x: [f32; 3],
    /// Second row `[d, e, f]`.
    pub row_y: [f32; 3],
}

impl Affine {
    /// The map that changes nothing.
    pub const IDENTITY: Self = Self {
        row_x: [1.0, 0.0, 0.0],
        row_y: [0.0, 1.0, 0.0],
    };

    /// Scale by `scale`, then shift.
    pub const fn scale_shift(scale: f32, shift: Point) -> Self {
        Self {
            row_x: [scale, 0.0, shift[0]],
            row_y: [0.0, scale, shift[1]],
        }
    }

    /// Rotate by `radians` (clockwise as seen, y pointing down) and scale about `centre`.
    pub fn rotation(radians: f32, scale: f32, centre: Point) -> Self {
        let (sin, cos) = radians.sin_cos();
        let (sin, cos) = (sin * scale, cos * scale);
        let [cx, cy] = centre;
        Self {
            row_x: [cos, -sin, cx - cos * cx + sin * cy],
            row_y: [sin, cos, cy - sin * cx - cos * cy],
        }
    }

    /// Map a point.
    pub const fn apply(&self, [x, y]: Point) -> Point {
        [
            self.row_x[0] * x + self.row_x[1] * y + self.row_x[2],
            self.row_y[0] * x + self.row_y[1] * y + self.row_y[2],
        ]
    }

    /// `self` first, `next` after it.
    pub fn then(&self, next: &Self) -> Self {
        let row = |r: [f32; 3]| {
            [
                r[0] * self.row_x[0] + r[1] * self.row_y[0],
                r[0] * self.row_x[1] + r[1] * self.row_y[1],
                r[0] * self.row_x[2] + r[1] * self.row_y[2] + r[2],
            ]
        };
        Self {
            row_x: row(next.row_x),
            row_y: row(next.row_y),
        }
    }

    /// The inverse map; `None` when the map flattens the plane.
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c] = self.row_x;
        let [d, e, f] = self.row_y;
        let det = a * e - b * d;
        if !det.is_normal() {
            return None;
        }
        let (ia, ib, id, ie) = (e / det, -b / det, -d / det, a / det);
        Some(Self {
            row_x: [ia, ib, -(ia * c + ib * f)],
            row_y: [id, ie, -(id * c + ie * f)],
        })
    }

    /// The similarity (rotation, uniform scale, shift; no reflection) that takes `from` to `to`
    /// with the least squared error (Umeyama 1991, in closed form for the plane). `None` when the
    /// lists differ in length, hold fewer than two points, or all of `from` coincide.
    pub fn similarity(from: &[Point], to: &[Point]) -> Option<Self> {
        if from.len() != to.len() || from.len() < 2 {
            return None;
        }
        let (mf, mt) = (mean(from), mean(to));
        let (mut dot, mut cross, mut norm) = (0.0f64, 0.0f64, 0.0f64);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p[0]) - mf[0], f64::from(p[1]) - mf[1]);
            let (qx, qy) = (f64::from(q[0]) - mt[0], f64::from(q[1]) - mt[1]);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            norm += px * px + py * py;
        }
        if !norm.is_normal() || !(dot * dot + cross * cross).is_normal() {
            return None;
        }
        let (a, b) = (dot / norm, cross / norm);
        Some(Self {
            row_x: [a as f32, -b as f32, (mt[0] - a * mf[0] + b * mf[1]) as f32],
            row_y: [b as f32, a as f32, (mt[1] - b * mf[0] - a * mf[1]) as f32],
        })
    }
}

fn mean(points: &[Point]) -> [f64; 2] {
    let n = points.len() as f64;
    let sum = points.iter().fold([0.0; 2], |[x, y], p| {
        [x + f64::from(p[0]), y + f64::from(p[1])]
    });
    [sum[0] / n, sum[1] / n]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_recovers_a_known_map() {
        let truth = Affine::rotation(0.4, 1.7, [3.0, -2.0]);
        let from = [[0.0, 0.0], [10.0, 1.0], [4.0, 7.0]];
        let to = from.map(|p| truth.apply(p));
        let found = Affine::similarity(&from, &to).unwrap();
        for p in from {
            let (a, b) = (truth.apply(p), found.apply(p));
            assert!((a[0] - b[0]).abs() < 1e-4 && (a[1] - b[1]).abs() < 1e-4);
        }
    }

    #[test]
    fn inverse_and_composition_round_trip() {
        let m = Affine::rotation(-1.1, 0.3, [5.0, 6.0]).then(&Affine::scale_shift(2.0, [1.0, 4.0]));
        let back = m.then(&m.inverse().unwrap());
        let p = back.apply([12.0, -7.0]);
        assert!((p[0] - 12.0).abs() < 1e-4 && (p[1] + 7.0).abs() < 1e-4);
    }

    #[test]
    fn degenerate_points_have_no_similarity() {
        assert!(
            Affine::similarity(&[[1.0, 1.0]; 3], &[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).is_none()
        );
        assert!(Affine::similarity(&[[1.0, 1.0]], &[[0.0, 0.0]]).is_none());
    }

    #[test]
    fn what_flattens_the_plane_has_no_inverse() {
        for scale in [0.0, 1e-20, f32::NAN, f32::INFINITY] {
            assert_eq!(Affine::scale_shift(scale, [0.0; 2]).inverse(), None);
        }
    }
}
