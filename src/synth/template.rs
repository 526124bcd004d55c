//! A frontal face in its own coordinates: x to the right, y down, the head reaching from -1 to 1
//! across, the eyes at y = 0. Drawn from the same numbers as the labels, so the labels are exact.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::geometry::{Point, Scheme};

/// A place on the head: x, y, and how far it sticks out of the plane of the eyes.
pub type Place = [f32; 3];

/// Everything that differs from face to face, symmetric in left and right.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Y of the chin.
    pub chin: f32,
    /// Y of the top of the head.
    pub crown: f32,
    /// Exponent of the jaw: smaller is squarer.
    pub jaw: f32,
    /// Distance of the eyes from the middle.
    pub eye_x: f32,
    /// Half the width of an eye.
    pub eye_w: f32,
    /// Half the height of an eye.
    pub eye_h: f32,
    /// Y of the brows.
    pub brow_y: f32,
    /// How much the brows are bent.
    pub brow_arch: f32,
    /// Y of the tip of the nose.
    pub nose_y: f32,
    /// Half the width of the nose.
    pub nose_w: f32,
    /// Y of the mouth.
    pub mouth_y: f32,
    /// Half the width of the mouth.
    pub mouth_w: f32,
    /// Half the opening of the mouth, most of it below `mouth_y`: the jaw moves.
    pub mouth_open: f32,
    /// How far the mouth's corners are raised.
    pub smile: f32,
    /// Thickness of the lips.
    pub lips: f32,
    /// Where the eyes look, as a share of their size.
    pub gaze: Point,
}

impl Shape {
    /// A face that nobody would turn round for, looking straight ahead.
    pub const fn plain() -> Self {
        Self {
            chin: 1.25,
            crown: -1.05,
            jaw: 0.8,
            eye_x: 0.42,
            eye_w: 0.2,
            eye_h: 0.085,
            brow_y: -0.27,
            brow_arch: 0.06,
            nose_y: 0.42,
            nose_w: 0.19,
            mouth_y: 0.78,
            mouth_w: 0.36,
            mouth_open: 0.0,
            smile: 0.0,
            lips: 0.075,
            gaze: [0.0, 0.0],
        }
    }

    /// Another face each time.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let mut vary = |value: f32, by: f32| value + rng.random_range(-by..=by);
        let plain = Self::plain();
        let mut shape = Self {
            chin: vary(plain.chin, 0.12),
            crown: vary(plain.crown, 0.1),
            jaw: vary(plain.jaw, 0.15),
            eye_x: vary(plain.eye_x, 0.04),
            eye_w: vary(plain.eye_w, 0.03),
            eye_h: vary(plain.eye_h, 0.035),
            brow_y: vary(plain.brow_y, 0.05),
            brow_arch: vary(plain.brow_arch, 0.05),
            nose_y: vary(plain.nose_y, 0.03),
            nose_w: vary(plain.nose_w, 0.04),
            mouth_y: vary(plain.mouth_y, 0.04),
            mouth_w: vary(plain.mouth_w, 0.08),
            mouth_open: 0.0,
            smile: vary(0.02, 0.08),
            lips: vary(plain.lips, 0.02),
            gaze: [vary(0.0, 0.45), vary(0.0, 0.2)],
        };
        if rng.random_bool(0.4) {
            shape.mouth_open = rng.random_range(0.02..0.1);
        }
        shape
    }

    /// Whether WFLW would call this an expression.
    pub fn is_expressive(&self) -> bool {
        self.mouth_open > 0.06
    }

    /// The 98 WFLW points.
    pub fn landmarks(&self) -> Vec<Place> {
        let scheme = Scheme::wflw98();
        let mut places = vec![[0.0; 3]; scheme.len()];
        let mut set = |first: usize, group: &[Place]| {
            places[first..first + group.len()].copy_from_slice(group);
        };
        set(0, &self.half_contour());
        set(33, &self.brow());
        set(51, &self.nose());
        set(60, &self.eye());
        set(76, &self.outer_lips());
        set(88, &self.inner_lips());
        let [gx, gy] = self.gaze;
        let pupil = |x: f32| [x + gx * self.eye_w, gy * self.eye_h, 0.0];
        set(96, &[pupil(-self.eye_x)]);
        let right_pupil = pupil(self.eye_x);
        // The right half is the left one in the mirror; only the eyes look the same way.
        for (i, &j) in scheme.mirror().iter().enumerate() {
            if places[j] == [0.0; 3] && i != j {
                let [x, y, z] = places[i];
                places[j] = [-x, y, z];
            }
        }
        places[97] = right_pupil;
        places
    }

    /// Points 0 to 16: from the left temple to the chin.
    fn half_contour(&self) -> Vec<Place> {
        let top = -0.05;
        (0..=16)
            .map(|i| {
                let angle = i as f32 / 32.0 * std::f32::consts::PI;
                // cos(90 degrees) is not quite zero; the chin is.
                let across = if i == 16 { 0.0 } else { angle.cos() };
                let x = -across.powf(self.jaw);
                let y = top + (self.chin - top) * angle.sin().powf(1.15);
                [x, y, -0.45 * (1.0 - angle.sin()) + 0.1]
            })
            .collect()
    }

    /// The head above the contour, from the right temple over the crown to the left one.
    pub fn forehead(&self) -> Vec<Place> {
        (1..24)
            .map(|i| {
                let angle = i as f32 / 24.0 * std::f32::consts::PI;
                let y = -0.05 + (self.crown + 0.05) * angle.sin().powf(0.8);
                [angle.cos(), y, -0.45 * (1.0 - angle.sin())]
            })
            .collect()
    }

    /// Points 33 to 41: the left brow, along its upper edge to the nose and back below.
    fn brow(&self) -> Vec<Place> {
        let (outer, inner) = (-self.eye_x - 0.3, -0.13);
        let thick = 0.075;
        let at = |t: f32, below: f32| {
            let bend = (t * std::f32::consts::PI).sin();
            let x = outer + (inner - outer) * t;
            [
                x,
                self.brow_y + 0.05 - self.brow_arch * bend - 0.03 * t + below,
                0.1,
            ]
        };
        let upper = (0..5).map(|i| at(i as f32 / 4.0, 0.0));
        let lower = (0..4).map(|i| at(1.0 - i as f32 / 4.4, thick));
        upper.chain(lower).collect()
    }

    /// Points 51 to 57: the bridge, then the left half of the nose's lower edge.
    fn nose(&self) -> Vec<Place> {
        let bridge = (0..4).map(|i| {
            let t = i as f32 / 3.0;
            [0.0, 0.02 + (self.nose_y - 0.02) * t, 0.15 + 0.45 * t]
        });
        let (w, y) = (self.nose_w, self.nose_y);
        let edge = [
            [-w, y + 0.06, 0.15],
            [-w * 0.5, y + 0.11, 0.28],
            [0.0, y + 0.13, 0.35],
        ];
        bridge.chain(edge).collect()
    }

    /// Points 60 to 67: the left eye, from its outer corner over the upper lid and back.
    fn eye(&self) -> Vec<Place> {
        let (w, h) = (self.eye_w, self.eye_h);
        let at = |x: f32, y: f32| [-self.eye_x + x * w, y * h, 0.0];
        vec![
            at(-1.0, 0.1),
            at(-0.5, -0.8),
            at(0.0, -1.0),
            at(0.5, -0.75),
            at(1.0, 0.25),
            at(0.5, 0.8),
            at(0.0, 1.0),
            at(-0.5, 0.8),
        ]
    }

    /// Where upper and lower lip meet in the middle of a closed mouth; apart when it is open.
    fn gap(&self) -> [f32; 2] {
        let open = self.mouth_open.max(0.004);
        [self.mouth_y - 0.3 * open, self.mouth_y + 1.7 * open]
    }

    /// Points 76 to 87: outer edge of the lips; the right ones stay for the mirror.
    fn outer_lips(&self) -> Vec<Place> {
        let (w, y, [top, bottom]) = (self.mouth_w, self.mouth_y, self.gap());
        let (upper, lower) = (top - self.lips, bottom + self.lips * 1.2);
        let corner = y - self.smile;
        let none = [0.0; 3];
        vec![
            [-w, corner, 0.05],
            [-w * 0.6, upper + 0.35 * (corner - upper), 0.15],
            [-w * 0.2, upper - 0.01, 0.22],
            [0.0, upper + 0.012, 0.22],
            none,
            none,
            none,
            none,
            none,
            [0.0, lower, 0.2],
            [-w * 0.3, lower - 0.1 * (lower - corner), 0.18],
            [-w * 0.65, lower - 0.4 * (lower - corner), 0.12],
        ]
    }

    /// Points 88 to 95: inner edge of the lips; the right ones stay for the mirror.
    fn inner_lips(&self) -> Vec<Place> {
        let (w, y, [top, bottom]) = (self.mouth_w, self.mouth_y, self.gap());
        let corner = y - self.smile;
        let bent = |edge: f32| edge + 0.1 * (y - edge) - 0.35 * self.smile;
        let none = [0.0; 3];
        vec![
            [-w * 0.88, corner + (y - corner) * 0.12, 0.06],
            [-w * 0.42, bent(top), 0.16],
            [0.0, top, 0.2],
            none,
            none,
            none,
            [0.0, bottom, 0.2],
            [-w * 0.42, bent(bottom), 0.16],
        ]
    }
}

#[cfg(test)]
mod tests;
