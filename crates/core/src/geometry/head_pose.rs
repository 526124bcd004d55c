//! How a head is turned.

use super::Affine;
use super::rotation::Rotation;

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
        Self::of_rotation(&Rotation::about_z(angle.into()).of(&self.rotation()))
    }

    /// From pitch, yaw and roll in degrees.
    pub fn of_degrees(angles: [f32; 3]) -> Self {
        angles.map(f32::to_radians).into()
    }

    /// From pitch, yaw and roll in degrees as face3d and InsightFace give them: the rotation is
    /// `Z(roll) Y(yaw) X(-pitch)`, so that a positive pitch looks down.
    pub fn of_face3d_degrees(angles: [f32; 3]) -> Self {
        let [pitch, yaw, roll] = angles.map(|v| f64::from(v).to_radians());
        let within = Rotation::about_y(yaw).of(&Rotation::about_x(-pitch));
        Self::of_rotation(&Rotation::about_z(roll).of(&within))
    }

    /// Pitch, yaw and roll in degrees.
    pub fn degrees(self) -> [f32; 3] {
        <[f32; 3]>::from(self).map(f32::to_degrees)
    }

    /// How far pitch, yaw and roll are from those of `truth`, degrees, 0 to 180.
    pub fn error_degrees(self, truth: Self) -> [f32; 3] {
        let (own, truth) = (self.degrees(), truth.degrees());
        [0, 1, 2].map(|i| {
            let turns = (own[i] - truth[i]) / 360.0;
            (turns - turns.round()).abs() * 360.0
        })
    }

    /// The turn in the middle between two; of opposite ones the first.
    #[must_use]
    pub fn mean(self, other: Self) -> Self {
        let both = self.rotation().plus(&other.rotation());
        Rotation::nearest(both).map_or(self, |middle| Self::of_rotation(&middle))
    }

    /// `X(pitch) Y(yaw) Z(roll)`.
    pub(super) fn rotation(self) -> Rotation {
        let [pitch, yaw, roll] = <[f32; 3]>::from(self).map(f64::from);
        let within = Rotation::about_y(yaw).of(&Rotation::about_z(roll));
        Rotation::about_x(pitch).of(&within)
    }

    /// The angles of a rotation; yaw from -90 to 90 degrees.
    pub(super) fn of_rotation(rotation: &Rotation) -> Self {
        let [first, second, third] = rotation.0;
        let angles = [
            second[2].atan2(third[2]),
            (-first[2]).clamp(-1.0, 1.0).asin(),
            first[1].atan2(first[0]),
        ];
        angles.map(|v| v as f32).into()
    }
}

/// Pitch, yaw, roll, radians.
impl From<[f32; 3]> for HeadPose {
    fn from([pitch, yaw, roll]: [f32; 3]) -> Self {
        Self { pitch, yaw, roll }
    }
}

/// Pitch, yaw, roll, radians.
impl From<HeadPose> for [f32; 3] {
    fn from(pose: HeadPose) -> Self {
        [pose.pitch, pose.yaw, pose.roll]
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

    #[test]
    fn other_conventions_are_brought_into_ours() {
        let alone = |angles| HeadPose::of_face3d_degrees(angles).degrees();
        let near = |a: [f32; 3], b: [f32; 3]| {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?}");
        };
        near(alone([20.0, 0.0, 0.0]), [-20.0, 0.0, 0.0]);
        near(alone([0.0, 30.0, 0.0]), [0.0, 30.0, 0.0]);
        near(alone([0.0, 0.0, -40.0]), [0.0, 0.0, -40.0]);
        // numpy: Z(-0.3) Y(0.5) X(-0.2), taken apart as X Y Z.
        near(
            alone([0.2f32, 0.5, -0.3].map(f32::to_degrees)),
            [-20.912_54, 22.965_21, -24.417_77],
        );
        near(
            HeadPose::of_degrees([1.0, 2.0, 3.0]).degrees(),
            [1.0, 2.0, 3.0],
        );
    }

    #[test]
    fn errors_go_the_short_way_round() {
        let (a, b) = ([170.0, 10.0, -175.0], [-170.0, -15.0, 175.0]);
        let error = HeadPose::of_degrees(a).error_degrees(HeadPose::of_degrees(b));
        for (found, expected) in error.into_iter().zip([20.0, 25.0, 10.0]) {
            assert!((found - expected).abs() < 1e-3, "{error:?}");
        }
    }

    #[test]
    fn the_mean_is_half_way() {
        assert_near(
            pose(0.1, 0.0, 0.0).mean(pose(0.5, 0.0, 0.0)),
            pose(0.3, 0.0, 0.0),
        );
        // Rolls of 170 and -170 degrees meet upside down, not upright.
        let near = |roll: f32| pose(0.0, 0.0, roll.to_radians());
        let mean = near(170.0).mean(near(-170.0));
        assert!(mean.roll.abs().to_degrees() > 179.9, "{mean:?}");
        let (a, b) = (pose(0.2, -0.6, 0.1), pose(-0.1, 0.4, 0.5));
        assert_near(a.mean(b), b.mean(a));
        let turn = Affine::rotation(0.7, 1.0, [0.0; 2]);
        assert_near(
            a.mean(b).through(&turn),
            a.through(&turn).mean(b.through(&turn)),
        );
    }
}
