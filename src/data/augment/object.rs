//! Outlines of what may stand in front of a face.

use crate::geometry::Point;

/// An outline in its own axes, pixels.
#[derive(Clone, Debug)]
pub enum Outline {
    /// By its radii.
    Ellipse([f32; 2]),
    /// A rectangle with round corners.
    Card {
        /// Half the width and height.
        half: [f32; 2],
        /// Radius of the corners.
        corner: f32,
    },
    /// Parallel to the first axis.
    Fingers(Vec<Finger>),
}

/// A line with round ends.
#[derive(Clone, Copy, Debug)]
pub struct Finger {
    /// Place of the line on the second axis.
    pub across: f32,
    /// Middles of the round ends on the first axis, in rising order.
    pub ends: [f32; 2],
    /// Half the thickness.
    pub radius: f32,
}

impl Outline {
    /// Distance from the outline, negative inside. That of an ellipse is a bound only.
    pub fn distance(&self, [x, y]: Point) -> f32 {
        match self {
            Self::Ellipse([a, b]) => ((x / a).hypot(y / b) - 1.0) * a.min(*b),
            Self::Card { half, corner } => {
                let over = [x.abs() - half[0] + corner, y.abs() - half[1] + corner];
                let outside = over[0].max(0.0).hypot(over[1].max(0.0));
                outside + over[0].max(over[1]).min(0.0) - corner
            }
            Self::Fingers(fingers) => {
                let to = |f: &Finger| {
                    let along = x - x.clamp(f.ends[0], f.ends[1]);
                    along.hypot(y - f.across) - f.radius
                };
                fingers.iter().map(to).fold(f32::INFINITY, f32::min)
            }
        }
    }

    /// No part is further than this from the origin.
    pub fn reach(&self) -> f32 {
        match self {
            Self::Ellipse([a, b]) => a.max(*b),
            Self::Card { half, .. } => half[0].hypot(half[1]),
            Self::Fingers(fingers) => {
                let far = |f: &Finger| {
                    let along = f.ends[0].abs().max(f.ends[1].abs());
                    along.hypot(f.across) + f.radius
                };
                fingers.iter().map(far).fold(0.0, f32::max)
            }
        }
    }

    /// How deep inside the deepest point lies.
    pub fn thickness(&self) -> f32 {
        match self {
            Self::Ellipse([a, b]) | Self::Card { half: [a, b], .. } => a.min(*b),
            Self::Fingers(fingers) => fingers.iter().map(|f| f.radius).fold(0.0, f32::max),
        }
    }
}

/// An outline, placed and turned.
#[derive(Clone, Debug)]
pub struct Object {
    /// Where its origin lies, pixels of the crop.
    pub centre: Point,
    /// Clockwise as seen, radians.
    pub angle: f32,
    /// Its shape.
    pub outline: Outline,
}

impl Object {
    /// A point of the crop in the axes of the outline.
    pub fn local(&self, [x, y]: Point) -> Point {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        [cos * dx + sin * dy, cos * dy - sin * dx]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlines() -> [Outline; 3] {
        let finger = |across: f32| Finger {
            across,
            ends: [-20.0, 15.0],
            radius: 6.0,
        };
        [
            Outline::Ellipse([30.0, 12.0]),
            Outline::Card {
                half: [25.0, 15.0],
                corner: 5.0,
            },
            Outline::Fingers(vec![finger(-7.0), finger(7.0)]),
        ]
    }

    #[test]
    fn distances_by_hand() {
        let [ellipse, card, fingers] = outlines();
        assert_eq!(ellipse.distance([30.0, 0.0]), 0.0);
        assert_eq!(ellipse.distance([0.0, 0.0]), -12.0);
        assert_eq!(card.distance([28.0, 0.0]), 3.0);
        assert_eq!(card.distance([0.0, 11.0]), -4.0);
        // Three right and four below of where the corner's circle has its middle.
        assert_eq!(card.distance([23.0, 14.0]), 0.0);
        assert_eq!(fingers.distance([0.0, 7.0]), -6.0);
        assert_eq!(fingers.distance([15.0, 0.0]), 1.0);
        assert_eq!(fingers.distance([24.0, 7.0]), 3.0);
    }

    #[test]
    fn nothing_lies_beyond_the_reach_or_deeper_than_the_thickness() {
        for outline in outlines() {
            let (reach, thickness) = (outline.reach(), outline.thickness());
            for i in 0..81 * 81u16 {
                let p = [f32::from(i % 81) - 40.0, f32::from(i / 81) - 40.0];
                let distance = outline.distance(p);
                assert!(distance >= -thickness, "{outline:?} {p:?}");
                assert!(distance > 0.0 || p[0].hypot(p[1]) <= reach, "{outline:?}");
            }
        }
    }

    #[test]
    fn an_object_turns_clockwise() {
        let object = Object {
            centre: [10.0, 20.0],
            angle: std::f32::consts::FRAC_PI_2,
            outline: Outline::Ellipse([5.0, 2.0]),
        };
        // Below the centre, where the first axis has turned to.
        let [x, y] = object.local([10.0, 24.0]);
        assert!((x - 4.0).abs() < 1e-5 && y.abs() < 1e-5);
    }
}
