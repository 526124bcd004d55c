//! Boxes and landmarks relative to an anchor (SSD, Liu et al. 2016, with RetinaFace's points).

use crate::geometry::{BoxXyxy, Point};
use crate::settings::BoxKind;

/// Largest size delta that is decoded, times the variance: `exp` of more would overflow.
pub const MAX_LOG_SCALE: f32 = 16.0;

/// Encodes and decodes deltas; `variances` scale centre and size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coder {
    /// How boxes are told.
    pub boxes: BoxKind,
    /// Scales of centre (and landmark) deltas and of size deltas.
    pub variances: [f32; 2],
}

impl Coder {
    /// For landmarks and, should there be any, boxes as deltas.
    pub const fn of_deltas(variances: [f32; 2]) -> Self {
        Self {
            boxes: BoxKind::Deltas,
            variances,
        }
    }

    /// The numbers of a box with positive size: `((c - a_c) / (v0 a_wh), ln(wh / a_wh) / v1)`, or its
    /// sides' distances from `a_c` over `a_wh`.
    pub fn encode_box(&self, anchor_cxcywh: [f32; 4], box_xyxy: &BoxXyxy) -> [f32; 4] {
        let [ax, ay, aw, ah] = anchor_cxcywh;
        if self.boxes == BoxKind::Distances {
            let [x1, y1, x2, y2] = <[f32; 4]>::from(*box_xyxy);
            return [
                (ax - x1) / aw,
                (ay - y1) / ah,
                (x2 - ax) / aw,
                (y2 - ay) / ah,
            ];
        }
        let [cx, cy, w, h] = box_xyxy.cxcywh();
        let [centre, size] = self.variances;
        [
            (cx - ax) / (centre * aw),
            (cy - ay) / (centre * ah),
            (w / aw).ln() / size,
            (h / ah).ln() / size,
        ]
    }

    /// The box of these numbers.
    pub fn decode_box(&self, anchor_cxcywh: [f32; 4], deltas: [f32; 4]) -> BoxXyxy {
        let [ax, ay, aw, ah] = anchor_cxcywh;
        if self.boxes == BoxKind::Distances {
            let [left, top, right, bottom] = deltas;
            return BoxXyxy::new(
                ax - left * aw,
                ay - top * ah,
                ax + right * aw,
                ay + bottom * ah,
            );
        }
        let [dx, dy, dw, dh] = deltas;
        let [centre, size] = self.variances;
        let grow = |d: f32| (d * size).min(MAX_LOG_SCALE).exp();
        BoxXyxy::from_cxcywh([
            ax + dx * centre * aw,
            ay + dy * centre * ah,
            aw * grow(dw),
            ah * grow(dh),
        ])
    }

    /// Where a box lies that is told by these numbers, as the deltas of its centre, and its sides in
    /// those of the anchor, held within `e^-limit` to `e^limit`.
    pub fn frame(&self, deltas: [f32; 4], limit: f32) -> ([f32; 2], [f32; 2]) {
        let [a, b, c, d] = deltas;
        match self.boxes {
            BoxKind::Deltas => {
                let log = |delta: f32| (delta * self.variances[1]).clamp(-limit, limit).exp();
                ([a, b], [log(c), log(d)])
            }
            BoxKind::Distances => {
                let centre = |low: f32, high: f32| (high - low) / (2.0 * self.variances[0]);
                let size = |low: f32, high: f32| (low + high).clamp((-limit).exp(), limit.exp());
                ([centre(a, c), centre(b, d)], [size(a, c), size(b, d)])
            }
        }
    }

    /// Deltas of a landmark: `(p - a_c) / (v0 a_wh)`.
    pub const fn encode_point(&self, anchor_cxcywh: [f32; 4], [x, y]: Point) -> Point {
        let [ax, ay, aw, ah] = anchor_cxcywh;
        let centre = self.variances[0];
        [(x - ax) / (centre * aw), (y - ay) / (centre * ah)]
    }

    /// The landmark of some deltas.
    pub const fn decode_point(&self, anchor_cxcywh: [f32; 4], [dx, dy]: Point) -> Point {
        let [ax, ay, aw, ah] = anchor_cxcywh;
        let centre = self.variances[0];
        [ax + dx * centre * aw, ay + dy * centre * ah]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODER: Coder = Coder::of_deltas([0.1, 0.2]);
    const DISTANCES: Coder = Coder {
        boxes: BoxKind::Distances,
        ..CODER
    };

    #[test]
    fn hand_computed_deltas() {
        let anchor = [20.0, 12.0, 16.0, 16.0];
        // Centre (24, 10), size 32 x 8.
        let deltas = CODER.encode_box(anchor, &BoxXyxy::new(8.0, 6.0, 40.0, 14.0));
        let ln2 = 2.0f32.ln();
        let want = [2.5, -1.25, ln2 / 0.2, -ln2 / 0.2];
        for (d, w) in deltas.iter().zip(want) {
            assert!((d - w).abs() < 1e-5, "{deltas:?}");
        }
        assert_eq!(CODER.encode_point(anchor, [28.0, 4.0]), [5.0, -5.0]);
        // Each axis by its own side of the anchor.
        let wide = [20.0, 12.0, 32.0, 16.0];
        let deltas = CODER.encode_box(wide, &BoxXyxy::new(8.0, 6.0, 40.0, 14.0));
        assert_eq!(deltas[..3], [1.25, -1.25, 0.0]);
        assert_eq!(CODER.encode_point(wide, [28.0, 4.0]), [2.5, -5.0]);
    }

    #[test]
    fn hand_computed_distances() {
        let anchor = [20.0, 12.0, 32.0, 16.0];
        let found = BoxXyxy::new(8.0, 6.0, 40.0, 14.0);
        let told = DISTANCES.encode_box(anchor, &found);
        assert_eq!(told, [0.375, 0.375, 0.625, 0.125]);
        assert_eq!(DISTANCES.decode_box(anchor, told), found);
    }

    #[test]
    fn both_kinds_tell_the_same_frame() {
        let anchor = [20.0, 12.0, 16.0, 16.0];
        let found = BoxXyxy::new(8.0, 6.0, 40.0, 14.0);
        // The centre is 4 and -2 pixels from the anchor's; twice and half as large.
        for coder in [CODER, DISTANCES] {
            let (centre, size) = coder.frame(coder.encode_box(anchor, &found), 3.0);
            assert!((centre[0] - 2.5).abs() < 1e-5 && (centre[1] + 1.25).abs() < 1e-5);
            assert!((size[0] - 2.0).abs() < 1e-5 && (size[1] - 0.5).abs() < 1e-5);
            let (_, size) = coder.frame(coder.encode_box(anchor, &found), 0.1);
            assert!((size[0].ln() - 0.1).abs() < 1e-5 && (size[1].ln() + 0.1).abs() < 1e-5);
        }
    }

    #[test]
    fn boxes_and_points_round_trip() {
        let anchor = [100.0, 60.0, 64.0, 64.0];
        for b in [
            BoxXyxy::new(70.0, 31.0, 141.5, 99.0),
            BoxXyxy::new(-20.0, -5.0, 3.0, 400.0),
        ] {
            let back = CODER.decode_box(anchor, CODER.encode_box(anchor, &b));
            assert!((back.x1 - b.x1).abs() < 1e-2 && (back.y2 - b.y2).abs() < 1e-2);
        }
        let p = CODER.decode_point(anchor, CODER.encode_point(anchor, [-7.5, 300.0]));
        assert!((p[0] + 7.5).abs() < 1e-4 && (p[1] - 300.0).abs() < 1e-3);
    }

    #[test]
    fn wild_deltas_stay_finite() {
        let b = CODER.decode_box([0.0, 0.0, 512.0, 512.0], [0.0, 0.0, 1e9, 1e9]);
        assert!(b.width().is_finite());
    }
}
