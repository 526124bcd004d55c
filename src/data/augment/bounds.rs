//! Boxes of a photo in a crop.

use std::f32::consts::TAU;

use crate::geometry::{Affine, BoxXyxy, Distortion, Point};

/// Points on the ellipse of a distorted box; a multiple of four, so that an upright box without
/// distortion is met exactly.
const RING: u8 = 32;

/// The box after `map`: the bounds of the ellipse that fills the box. A head fills its box about
/// so; the bounds of the turned box would grow by up to 41 %, and with them the learnt boxes.
/// Without rotation both are the same.
pub fn map_box(b: &BoxXyxy, map: &Affine) -> BoxXyxy {
    let [cx, cy, w, h] = b.cxcywh();
    let [cx, cy] = map.apply([cx, cy]);
    let side = |row: [f32; 3]| (row[0] * w).hypot(row[1] * h);
    BoxXyxy::from_cxcywh([cx, cy, side(map.row_x), side(map.row_y)])
}

/// The box after `map` and `distortion`: the bounds of the ellipse that fills it, as in
/// [`map_box`]. `None` when a part of it lies behind the horizon.
pub fn map_box_distorted(b: &BoxXyxy, map: &Affine, distortion: &Distortion) -> Option<BoxXyxy> {
    if distortion.is_identity() {
        return Some(map_box(b, map));
    }
    let [cx, cy, w, h] = b.cxcywh();
    let on_ring = |i: u8| {
        let (sin, cos) = (f32::from(i) * TAU / f32::from(RING)).sin_cos();
        distortion.apply(map.apply([cx + 0.5 * w * cos, cy + 0.5 * h * sin]))
    };
    BoxXyxy::around(&(0..RING).map(on_ring).collect::<Vec<Point>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Homography, YawWarp};

    #[test]
    fn a_turned_box_does_not_grow_as_its_corners_do() {
        let square = BoxXyxy::from_cxcywh([50.0, 50.0, 40.0, 40.0]);
        let turn = Affine::rotation(0.6, 1.0, [50.0, 50.0]);
        let turned = map_box(&square, &turn);
        assert!((turned.width() - 40.0).abs() < 1e-3 && (turned.height() - 40.0).abs() < 1e-3);
        let tall = BoxXyxy::from_cxcywh([50.0, 50.0, 30.0, 40.0]);
        let quarter = Affine::rotation(std::f32::consts::FRAC_PI_2, 2.0, [50.0, 50.0]);
        let turned = map_box(&tall, &quarter);
        assert!((turned.width() - 80.0).abs() < 1e-3 && (turned.height() - 60.0).abs() < 1e-3);
    }

    fn skewed() -> Distortion {
        let corners = [[4.0, -6.0], [95.0, 3.0], [104.0, 108.0], [-3.0, 97.0]];
        let perspective = Homography::from_corners([100.0; 2], corners);
        let yaw = YawWarp::new(50.0, 40.0, 0.3);
        assert!(perspective.is_some() && yaw.is_some());
        Distortion { perspective, yaw }
    }

    #[test]
    fn a_distorted_box_is_that_of_the_distorted_ellipse() {
        let upright = BoxXyxy::new(25.0, 20.0, 75.0, 80.0);
        let plain = map_box_distorted(&upright, &Affine::IDENTITY, &Distortion::default()).unwrap();
        assert_eq!(plain, map_box(&upright, &Affine::IDENTITY));
        // The outline of a map that is next to nothing is that of nothing.
        let mild = Distortion {
            perspective: None,
            yaw: YawWarp::new(50.0, 40.0, 1e-6),
        };
        let turned = map_box_distorted(&upright, &Affine::IDENTITY, &mild).unwrap();
        let off = [
            turned.x1 - 25.0,
            turned.y1 - 20.0,
            turned.x2 - 75.0,
            turned.y2 - 80.0,
        ];
        assert!(off.iter().all(|v| v.abs() < 1e-3), "{turned:?}");
        // Points inside the ellipse end inside the box.
        let distortion = skewed();
        let moved = map_box_distorted(&upright, &Affine::IDENTITY, &distortion).unwrap();
        for i in 0..40u8 {
            let (sin, cos) = (f32::from(i) * 0.3).sin_cos();
            let p = distortion.apply([50.0 + 24.0 * cos, 50.0 + 29.0 * sin]);
            assert!(moved.contains(p), "{moved:?} {p:?}");
        }
    }
}
