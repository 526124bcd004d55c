//! Axis-aligned boxes in pixels.

use serde::{Deserialize, Serialize};

/// A box by its corners, pixels, `x1 <= x2` and `y1 <= y2` when it is valid. Widths are
/// `x2 - x1`, never with the "+1" of integer pixel boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct BoxXyxy {
    /// Left edge.
    pub x1: f32,
    /// Top edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Bottom edge.
    pub y2: f32,
}

impl From<[f32; 4]> for BoxXyxy {
    fn from([x1, y1, x2, y2]: [f32; 4]) -> Self {
        Self { x1, y1, x2, y2 }
    }
}

impl From<BoxXyxy> for [f32; 4] {
    fn from(b: BoxXyxy) -> Self {
        [b.x1, b.y1, b.x2, b.y2]
    }
}

impl BoxXyxy {
    /// From corners.
    pub const fn new(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self { x1, y1, x2, y2 }
    }

    /// From the top-left corner and the size (the order of WIDER FACE lists).
    pub const fn from_xywh(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self::new(x, y, x + w, y + h)
    }

    /// From centre and size.
    pub const fn from_cxcywh([cx, cy, w, h]: [f32; 4]) -> Self {
        Self::new(cx - w * 0.5, cy - h * 0.5, cx + w * 0.5, cy + h * 0.5)
    }

    /// The smallest box around `points`; `None` without points or when one is not finite.
    pub fn around(points: &[[f32; 2]]) -> Option<Self> {
        let first = points.first()?;
        let mut b = Self::new(first[0], first[1], first[0], first[1]);
        for &[x, y] in points {
            if !x.is_finite() || !y.is_finite() {
                return None;
            }
            b = Self::new(b.x1.min(x), b.y1.min(y), b.x2.max(x), b.y2.max(y));
        }
        Some(b)
    }

    /// Centre and size.
    pub const fn cxcywh(&self) -> [f32; 4] {
        [
            (self.x1 + self.x2) * 0.5,
            (self.y1 + self.y2) * 0.5,
            self.x2 - self.x1,
            self.y2 - self.y1,
        ]
    }

    /// Width; negative for an inverted box.
    pub const fn width(&self) -> f32 {
        self.x2 - self.x1
    }

    /// Height; negative for an inverted box.
    pub const fn height(&self) -> f32 {
        self.y2 - self.y1
    }

    /// The longer one of width and height.
    pub const fn longer_side(&self) -> f32 {
        self.width().max(self.height())
    }

    /// Area, zero for a box without size.
    pub const fn area(&self) -> f32 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// Centre point.
    pub const fn centre(&self) -> [f32; 2] {
        [(self.x1 + self.x2) * 0.5, (self.y1 + self.y2) * 0.5]
    }

    /// Side of the square with the same area.
    pub fn side(&self) -> f32 {
        self.area().sqrt()
    }

    /// Whether all four numbers are finite and both sides positive.
    pub fn has_size(&self) -> bool {
        let finite = [self.x1, self.y1, self.x2, self.y2]
            .iter()
            .all(|v| v.is_finite());
        finite && self.width() > 0.0 && self.height() > 0.0
    }

    /// Area shared with `other`.
    pub const fn intersection(&self, other: &Self) -> f32 {
        let w = self.x2.min(other.x2) - self.x1.max(other.x1);
        let h = self.y2.min(other.y2) - self.y1.max(other.y1);
        w.max(0.0) * h.max(0.0)
    }

    /// Intersection over union, zero when neither box has an area.
    pub fn iou(&self, other: &Self) -> f32 {
        let inter = self.intersection(other);
        let union = self.area() + other.area() - inter;
        if union > 0.0 { inter / union } else { 0.0 }
    }

    /// Cut to an image of `width` x `height` pixels.
    pub const fn clip(&self, width: f32, height: f32) -> Self {
        Self::new(
            self.x1.clamp(0.0, width),
            self.y1.clamp(0.0, height),
            self.x2.clamp(0.0, width),
            self.y2.clamp(0.0, height),
        )
    }

    /// Whether the point lies inside or on the edge.
    pub const fn contains(&self, [x, y]: [f32; 2]) -> bool {
        x >= self.x1 && x <= self.x2 && y >= self.y1 && y <= self.y2
    }

    /// Scale about the centre.
    pub const fn scaled(&self, factor: f32) -> Self {
        let [cx, cy, w, h] = self.cxcywh();
        Self::from_cxcywh([cx, cy, w * factor, h * factor])
    }

    /// Multiply all coordinates by `factor`, then add `shift`.
    pub const fn transformed(&self, factor: f32, shift: [f32; 2]) -> Self {
        Self::new(
            self.x1 * factor + shift[0],
            self.y1 * factor + shift[1],
            self.x2 * factor + shift[0],
            self.y2 * factor + shift[1],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_out_or_nowhere_has_no_size() {
        for numbers in [
            [5.0, 5.0, 2.0, 1.0], // both sides negative: their product is not
            [0.0, 0.0, 0.0, 4.0],
            [0.0, f32::NEG_INFINITY, 3.0, 4.0],
            [0.0, 0.0, 3.0, f32::NAN],
        ] {
            assert!(!BoxXyxy::from(numbers).has_size(), "{numbers:?}");
        }
        assert_eq!(BoxXyxy::new(5.0, 5.0, 2.0, 1.0).area(), 0.0);
        assert!(BoxXyxy::new(0.0, 0.0, 3.0, 4.0).has_size());
    }

    #[test]
    fn bounds_of_points_that_are_nowhere_are_none() {
        let around = |y| BoxXyxy::around(&[[1.0, 2.0], [4.0, y], [3.0, 0.0]]);
        assert_eq!(around(5.0), Some(BoxXyxy::new(1.0, 0.0, 4.0, 5.0)));
        assert_eq!((around(f32::NAN), around(f32::INFINITY)), (None, None));
        assert_eq!(BoxXyxy::around(&[]), None);
    }

    #[test]
    fn each_axis_has_its_own_shift() {
        let b = BoxXyxy::new(1.0, 2.0, 3.0, 5.0);
        let moved = BoxXyxy::new(12.0, 104.0, 16.0, 110.0);
        assert_eq!(b.transformed(2.0, [10.0, 100.0]), moved);
    }
}
