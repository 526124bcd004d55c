//! What no affine map can do to a crop: perspective, and a head that seems to turn.

use super::Point;

/// Perspective denominators below this are those of the horizon and of what lies behind it; they
/// are 1 at the first corner of the picture, and all over the picture not far from that.
const HORIZON: f32 = 1e-3;

/// Steps of the solver of [`YawWarp::apply`]. Five are enough nearly everywhere.
const STEPS: usize = 16;

/// A perspective map of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography {
    forward: [[f32; 3]; 3],
    backward: [[f32; 3]; 3],
}

impl Homography {
    /// The map that takes the corners of a picture of `size` = `[width, height]` pixels to
    /// `corners`, both clockwise from the top left (Heckbert 1989, from the unit square in closed
    /// form). `None` when `size` has a side of zero, or `corners` are no convex quadrilateral that
    /// runs the same way round: no perspective gives such a picture.
    pub fn from_corners(size: [f32; 2], corners: [Point; 4]) -> Option<Self> {
        let sized = size.iter().all(|&v| v > 0.0 && v.is_finite());
        if !sized || !is_convex(&corners) {
            return None;
        }
        let [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners.map(|p| p.map(f64::from));
        let (sum_x, sum_y) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let (ux, uy) = (x1 - x2, y1 - y2);
        let (vx, vy) = (x3 - x2, y3 - y2);
        let det = ux * vy - vx * uy;
        let g = (sum_x * vy - vx * sum_y) / det;
        let h = (ux * sum_y - sum_x * uy) / det;
        let from_unit_square = [
            [x1 - x0 + g * x1, x3 - x0 + h * x3, x0],
            [y1 - y0 + g * y1, y3 - y0 + h * y3, y0],
            [g, h, 1.0],
        ];
        let [width, height] = size.map(f64::from);
        let forward = from_unit_square.map(|[a, b, c]| [a / width, b / height, c]);
        let single = |m: [[f64; 3]; 3]| m.map(|row| row.map(|v| v as f32));
        Some(Self {
            forward: single(forward),
            backward: single(inverse(&forward)),
        })
    }

    /// Map a point; NaN when it lies on the horizon or behind it, where it has no picture.
    #[inline]
    pub fn apply(&self, point: Point) -> Point {
        project(&self.forward, point)
    }

    /// Where a point came from; NaN when nothing can have come there.
    #[inline]
    pub fn inverse(&self, point: Point) -> Point {
        project(&self.backward, point)
    }
}

/// Whether the corners turn to the same side as those of a picture, each time.
fn is_convex(corners: &[Point; 4]) -> bool {
    (0..4).all(|i| {
        let [p, q, r] = [0, 1, 2].map(|step| corners[(i + step) % 4]);
        (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0]) > 0.0
    })
}

/// The inverse by cofactors. Not scaled afterwards, so that denominators stay about 1.
fn inverse(m: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    // Taken in a circle, the signs come out by themselves.
    let cofactor = |row: usize, column: usize| {
        let [r, s] = [1, 2].map(|step| (row + step) % 3);
        let [c, d] = [1, 2].map(|step| (column + step) % 3);
        m[r][c] * m[s][d] - m[r][d] * m[s][c]
    };
    let det: f64 = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum();
    std::array::from_fn(|r| std::array::from_fn(|c| cofactor(c, r) / det))
}

#[inline]
fn project(m: &[[f32; 3]; 3], [x, y]: Point) -> Point {
    let row = |r: [f32; 3]| r[0] * x + r[1] * y + r[2];
    let denominator = row(m[2]);
    if denominator < HORIZON {
        return [f32::NAN; 2];
    }
    [row(m[0]) / denominator, row(m[1]) / denominator]
}

/// A head that seems to turn to the side: columns of the picture move, one half of the face is
/// compressed and the other widened.
///
/// With `u = (x - centre) / half_width`, what is seen at `u` in the result was at
/// `g(u) = u - shift (1 - u²)²` before; beyond `|u| = 1` nothing moves. `g` joins the identity
/// there with the same slope, and rises everywhere for `|shift| < 3 √3 / 8 = 0.65` (its slope is
/// `1 + 4 shift u (1 - u²)`). That direction has the closed form because each pixel needs it; the
/// other one, needed for labels only, is solved by Newton steps inside a shrinking bracket.
///
/// The middle of the face moves by about `shift` of `half_width`. On a round head of that radius
/// a turn by `asin(shift)` does the same: 17 degrees for 0.3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YawWarp {
    centre: f32,
    half_width: f32,
    shift: f32,
}

impl YawWarp {
    /// Largest `shift` to either side; some way from where columns would fold over.
    pub const MAX_SHIFT: f32 = 0.5;

    /// Turn what lies within `half_width` pixels of the column `centre` (pixels). Its middle moves
    /// right for a positive `shift`, a share of `half_width` that is cut to
    /// [`Self::MAX_SHIFT`]. `None` when nothing would move or a number is not finite.
    pub fn new(centre: f32, half_width: f32, shift: f32) -> Option<Self> {
        let finite = [centre, half_width, shift].iter().all(|v| v.is_finite());
        (finite && half_width > 0.0 && shift != 0.0).then_some(Self {
            centre,
            half_width,
            shift: shift.clamp(-Self::MAX_SHIFT, Self::MAX_SHIFT),
        })
    }

    /// Where the column `x` goes.
    pub fn apply(&self, x: f32) -> f32 {
        let target = (x - self.centre) / self.half_width;
        if target.abs() >= 1.0 {
            return x;
        }
        let (mut low, mut high, mut u) = (-1.0f32, 1.0f32, target);
        for _ in 0..STEPS {
            let rest = 1.0 - u * u;
            let error = u - self.shift * rest * rest - target;
            if error > 0.0 {
                high = u;
            } else {
                low = u;
            }
            let newton = u - error / (1.0 + 4.0 * self.shift * u * rest);
            u = if (low..=high).contains(&newton) {
                newton
            } else {
                (low + high) * 0.5
            };
        }
        self.centre + self.half_width * u
    }

    /// Where the column `x` came from.
    #[inline]
    pub fn inverse(&self, x: f32) -> f32 {
        let u = (x - self.centre) / self.half_width;
        if u.abs() >= 1.0 {
            return x;
        }
        let rest = 1.0 - u * u;
        x - self.half_width * self.shift * rest * rest
    }
}

/// Perspective, then a turned head, both in pixels of the crop. The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Distortion {
    /// First of the two.
    pub perspective: Option<Homography>,
    /// Second of the two.
    pub yaw: Option<YawWarp>,
}

impl Distortion {
    /// Whether nothing moves.
    pub const fn is_identity(&self) -> bool {
        self.perspective.is_none() && self.yaw.is_none()
    }

    /// Map a point; NaN when the perspective has no place for it, which is only outside the crop.
    pub fn apply(&self, point: Point) -> Point {
        let [x, y] = self.perspective.map_or(point, |h| h.apply(point));
        [self.yaw.map_or(x, |yaw| yaw.apply(x)), y]
    }

    /// Where a point came from; NaN when nothing can have come there.
    #[inline]
    pub fn inverse(&self, [x, y]: Point) -> Point {
        let turned_back = [self.yaw.map_or(x, |yaw| yaw.inverse(x)), y];
        self.perspective
            .map_or(turned_back, |h| h.inverse(turned_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORNERS: [Point; 4] = [[10.0, -8.0], [95.0, 6.0], [108.0, 88.0], [-4.0, 72.0]];

    fn skewed() -> Homography {
        Homography::from_corners([100.0, 80.0], CORNERS).unwrap()
    }

    fn distance(a: Point, b: Point) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn corners_go_where_they_are_sent_and_lines_stay_straight() {
        let h = skewed();
        let picture = [[0.0, 0.0], [100.0, 0.0], [100.0, 80.0], [0.0, 80.0]];
        for (from, to) in picture.into_iter().zip(CORNERS) {
            assert!(distance(h.apply(from), to) < 1e-3);
            assert!(distance(h.inverse(to), from) < 1e-3);
        }
        let [a, b, c] = [10.0, 40.0, 90.0].map(|x| h.apply([x, 20.0 + 0.5 * x]));
        let cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        assert!(cross.abs() / distance(a, c) < 1e-3, "{cross}");
    }

    #[test]
    fn impossible_pictures_have_no_perspective() {
        let [a, b, c, d] = CORNERS;
        let from = |corners| Homography::from_corners([100.0, 80.0], corners);
        assert!(from([b, a, c, d]).is_none());
        assert!(from([d, c, b, a]).is_none());
        assert!(from([a, b, [40.0, 10.0], d]).is_none());
        assert!(from([a; 4]).is_none());
        assert!(from([a, b, [f32::NAN; 2], d]).is_none());
        assert!(Homography::from_corners([0.0, 80.0], CORNERS).is_none());
    }

    #[test]
    fn what_lies_behind_the_horizon_has_no_picture() {
        // The lower edge is half as long as the upper one: lines that run down meet at y = 160.
        let corners = [[0.0, 0.0], [80.0, 0.0], [60.0, 80.0], [20.0, 80.0]];
        let h = Homography::from_corners([80.0; 2], corners).unwrap();
        assert!(h.inverse([40.0, 159.0])[1] > 80.0);
        assert!(h.inverse([40.0, 161.0])[1].is_nan());
        assert!(h.inverse([40.0, 159.99])[1].is_nan()); // too near to be told
        assert!(h.apply([40.0, -79.0])[1] < 0.0);
        assert!(h.apply([40.0, -81.0])[1].is_nan());
    }

    #[test]
    fn a_turn_is_monotone_and_changes_nothing_beyond_the_face() {
        for shift in [-0.5, -0.2, 0.05, 0.3, 0.5, 9.0] {
            let yaw = YawWarp::new(50.0, 30.0, shift).unwrap();
            for x in [-7.0, 20.0, 80.0, 200.0] {
                assert_eq!((yaw.apply(x), yaw.inverse(x)), (x, x));
            }
            let columns = (0..=600).map(|i| 20.0 + 0.1 * i as f32);
            let moved: Vec<f32> = columns.map(|x| yaw.apply(x)).collect();
            assert!(moved.windows(2).all(|w| w[0] < w[1]), "{shift}");
            let kept = shift.clamp(-YawWarp::MAX_SHIFT, YawWarp::MAX_SHIFT);
            assert!((yaw.inverse(50.0) - (50.0 - 30.0 * kept)).abs() < 1e-4);
        }
        assert!(YawWarp::new(50.0, 30.0, 0.0).is_none());
        assert!(YawWarp::new(50.0, 0.0, 0.2).is_none());
        assert!(YawWarp::new(f32::NAN, 30.0, 0.2).is_none());
    }

    #[test]
    fn there_and_back_is_where_it_was() {
        assert!(Distortion::default().is_identity());
        assert_eq!(Distortion::default().apply([3.0, 4.0]), [3.0, 4.0]);
        let perspective = Some(skewed());
        for yaw in [None, YawWarp::new(45.0, 35.0, 0.5)] {
            for perspective in [None, perspective] {
                let distortion = Distortion { perspective, yaw };
                for i in 0..=400u16 {
                    let p = [5.0 * f32::from(i % 21), 4.0 * f32::from(i / 21)];
                    let back = distortion.inverse(distortion.apply(p));
                    assert!(distance(back, p) < 2e-3, "{p:?} {back:?}");
                    let there = distortion.apply(distortion.inverse(p));
                    assert!(distance(there, p) < 2e-3, "{p:?} {there:?}");
                }
            }
        }
    }
}
