//! Where a face lies: an upright square around its landmarks.

use super::{Affine, BoxXyxy, Landmarks, Point, Scheme};

/// Left eye, right eye, left and right mouth corner of an upright face, "left" being the left of
/// the picture, as shares of a square. Our own choice: eyes level, 0.28 of the side apart, a
/// little above the middle; the mouth as far below them as in the ArcFace template (1.15 eye
/// distances), 0.83 eye distances wide. The whole face from the forehead to the chin then fits.
pub const EYES_AND_MOUTH: [Point; 4] = [[0.36, 0.40], [0.64, 0.40], [0.384, 0.722], [0.616, 0.722]];

/// A square around a face, turned as the face is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceCrop {
    /// Its centre, pixels of the photo.
    pub centre: Point,
    /// Its side, pixels of the photo; positive.
    pub side: f32,
    /// How far the face is turned clockwise as seen, radians.
    pub angle: f32,
}

impl FaceCrop {
    /// Around the `labelled` ones of a face's landmarks, whose bounds, turned upright, it exceeds
    /// by `context` along their longer side. A scheme that does not say where the eyes and the
    /// mouth are leaves the face as it is turned. `None` when the points have no extent.
    pub fn around(landmarks: &Landmarks, scheme: &Scheme, context: f32) -> Option<Self> {
        let angle = upright_angle(landmarks, scheme).unwrap_or(0.0);
        let back = Affine::rotation(-angle, 1.0, [0.0, 0.0]);
        let bounds = landmarks.map(|p| back.apply(p)).bounds()?;
        let forth = Affine::rotation(angle, 1.0, [0.0, 0.0]);
        Self::square(forth.apply(bounds.centre()), bounds, context, angle)
    }

    /// Around a box, not turned. `None` when it has no size.
    pub fn of_box(box_xyxy: BoxXyxy, context: f32) -> Option<Self> {
        Self::square(box_xyxy.centre(), box_xyxy, context, 0.0)
    }

    fn square(centre: Point, bounds: BoxXyxy, context: f32, angle: f32) -> Option<Self> {
        let side = bounds.longer_side() * context;
        (side.is_finite() && side > 0.0).then_some(Self {
            centre,
            side,
            angle,
        })
    }

    /// From pixels of the photo to those of a crop of `side` pixels.
    pub fn to_crop(&self, side: f32) -> Affine {
        let middle = [side * 0.5; 2];
        let [x, y] = self.centre;
        Affine::scale_shift(1.0, [middle[0] - x, middle[1] - y]).then(&Affine::rotation(
            -self.angle,
            side / self.side,
            middle,
        ))
    }
}

/// The angle of the similarity that brings [`EYES_AND_MOUTH`] closest to the face.
fn upright_angle(landmarks: &Landmarks, scheme: &Scheme) -> Option<f32> {
    let [left_eye, right_eye, _, mouth_left, mouth_right] = scheme.five_of_labelled(landmarks)?;
    let to = [left_eye, right_eye, mouth_left, mouth_right];
    let map = Affine::similarity(&EYES_AND_MOUTH, &to)?;
    Some(map.row_y[0].atan2(map.row_x[0]))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;

    use super::*;

    /// Eyes, nose and mouth corners of an upright face in a square of 100 pixels.
    fn upright() -> Landmarks {
        let [le, re, ml, mr] = EYES_AND_MOUTH.map(|p| p.map(|v| v * 100.0));
        Landmarks::all([le, re, [50.0, 55.0], ml, mr])
    }

    fn around(landmarks: &Landmarks) -> Option<FaceCrop> {
        FaceCrop::around(landmarks, &Scheme::five(), 1.5)
    }

    #[test]
    fn an_upright_face_is_centred_and_scaled() {
        let crop = around(&upright()).unwrap();
        assert!(crop.angle.abs() < 1e-6);
        // The bounds are 28 wide (eyes) and 32.2 high (eyes to mouth).
        assert!((crop.side - 48.3).abs() < 1e-3, "{crop:?}");
        assert!((crop.centre[0] - 50.0).abs() < 1e-4 && (crop.centre[1] - 56.1).abs() < 1e-4);
        let map = crop.to_crop(64.0);
        assert_eq!(map.apply(crop.centre), [32.0, 32.0]);
        let scale = map.apply([51.0, 56.1])[0] - 32.0;
        assert!((scale - 64.0 / 48.3).abs() < 1e-4);
    }

    #[test]
    fn a_turned_face_comes_upright() {
        let turn = Affine::rotation(FRAC_PI_2, 2.0, [10.0, 20.0]);
        let points = upright().map(|p| turn.apply(p));
        let crop = around(&points).unwrap();
        assert!((crop.angle - FRAC_PI_2).abs() < 1e-5);
        let straight = around(&upright()).unwrap();
        let (a, b) = (crop.to_crop(64.0), straight.to_crop(64.0));
        for (turned, own) in points.points().zip(upright().points()) {
            let (p, q) = (a.apply(turned), b.apply(own));
            assert!((p[0] - q[0]).abs() < 1e-2 && (p[1] - q[1]).abs() < 1e-2);
        }
    }

    #[test]
    fn unlabelled_points_do_not_count_and_nothing_gives_nothing() {
        let far = |p| if p == [50.0, 55.0] { [9000.0, -5.0] } else { p };
        let points = upright().map(far).masked(|[x, _]| x < 100.0);
        let crop = around(&points).unwrap();
        assert!((crop.side - 48.3).abs() < 1e-3);
        assert!(around(&points.masked(|_| false)).is_none());
        assert!(around(&Landmarks::all([[1.0, 1.0]; 5])).is_none());
        assert!(FaceCrop::of_box(BoxXyxy::new(1.0, 2.0, 1.0, 2.0), 1.5).is_none());
        let of_box = FaceCrop::of_box(BoxXyxy::new(0.0, 0.0, 10.0, 20.0), 1.5).unwrap();
        assert_eq!((of_box.centre, of_box.side), ([5.0, 10.0], 30.0));
    }
}
