//! How a head is turned.

use super::Affine;

/// Turn of a head, radians; zero looks into the camera. Conventions are those of 300W-LP (Zhu et al.,
/// "Face Alignment Across Large Poses", CVPR 2016; `RotationMatrix.m` beside the data): the rotation is
/// `X(pitch) Y(yaw) Z(roll)` in axes x right, y up, z towards the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadPose {
    /// Positive: looks up.
    pub pitch: f32,
    /// Positive: looks to the left of the picture.
    pub yaw: f32,
    /// Positive: leans clockwise as seen.
    pub roll: f32,
}

impl HeadPose {
    /// The head in the picture that `map` makes: mirrored where it mirrors, turned as far as it turns.
    /// What else it does (a stretch) is passed over.
    #[must_use]
    pub fn through(self, map: &Affine) -> Self {
        let ([a, b, _], [c, d, _]) = (map.row_x, map.row_y);
        if a * d - b * c < 0.0 {
            let mirrored = Self {
                pitch: self.pitch,
                yaw: -self.yaw,
                roll: -self.roll,
            };
            return mirrored.turned((-c - b).atan2(d - a));
        }
        self.turned((c - b).atan2(a + d))
    }

    /// The head in a picture turned clockwise by `angle`: `Z(angle) X(pitch) Y(yaw) Z(roll)`, taken
    /// apart again. Yaw comes out from -90 to 90 degrees.
    fn turned(self, angle: f32) -> Self {
        let [(sp, cp), (sy, cy), (sr, cr), (sa, ca)] =
            [self.pitch, self.yaw, self.roll, angle].map(f32::sin_cos);
        // The first two rows of the untouched rotation, and the end of its third.
        let first = [cy * cr, cy * sr, -sy];
        let second = [sp * sy * cr - cp * sr, sp * sy * sr + cp * cr, sp * cy];
        let row = |u: f32, v: f32| [0, 1, 2].map(|i| u * first[i] + v * second[i]);
        let [right, down] = [row(ca, sa), row(-sa, ca)];
        Self {
            pitch: down[2].atan2(cp * cy),
            yaw: (-right[2]).clamp(-1.0, 1.0).asin(),
            roll: right[1].atan2(right[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(pitch: f32, yaw: f32, roll: f32) -> HeadPose {
        HeadPose { pitch, yaw, roll }
    }

    fn assert_near(a: HeadPose, b: HeadPose) {
        for (a, b) in [(a.pitch, b.pitch), (a.yaw, b.yaw), (a.roll, b.roll)] {
            assert!((a - b).abs() < 1e-5, "{a} is not {b}");
        }
    }

    const MIRROR: Affine = Affine {
        row_x: [-1.0, 0.0, 100.0],
        row_y: [0.0, 1.0, 0.0],
    };

    #[test]
    fn turning_a_picture_turns_heads_clockwise() {
        let turn = Affine::rotation(0.3, 2.0, [5.0, 7.0]);
        assert_near(pose(0.0, 0.0, 0.1).through(&turn), pose(0.0, 0.0, 0.4));
        // One that looks to the left of the picture looks up after a quarter turn.
        let quarter = Affine::rotation(std::f32::consts::FRAC_PI_2, 1.0, [0.0; 2]);
        let up = pose(0.0, 0.5, 0.0).through(&quarter);
        assert!(
            (up.pitch - 0.5).abs() < 1e-5 && up.yaw.abs() < 1e-5,
            "{up:?}"
        );
        // numpy: the product of the four matrices, taken apart.
        let found = pose(0.2, -0.6, 0.1).through(&turn);
        assert_near(found, pose(-0.012_631_3, -0.628_435_2, 0.466_159_4));
        let back = Affine::rotation(-0.3, 0.5, [5.0, 7.0]);
        assert_near(found.through(&back), pose(0.2, -0.6, 0.1));
    }

    #[test]
    fn a_mirror_turns_yaw_and_roll_round() {
        let p = pose(0.2, -0.6, 0.1);
        assert_near(p.through(&MIRROR), pose(0.2, 0.6, -0.1));
        let (a, b) = (0.4, 1.5);
        let turn = Affine::rotation(a, b, [3.0, 4.0]);
        // Turned and then mirrored is mirrored and then turned the other way.
        let other = Affine::rotation(-a, b, [97.0, 4.0]);
        assert_near(
            p.through(&turn.then(&MIRROR)),
            p.through(&MIRROR.then(&other)),
        );
        assert_near(
            p.through(&turn.then(&MIRROR)),
            p.through(&turn).through(&MIRROR),
        );
        assert_near(p.through(&Affine::IDENTITY), p);
    }
}
