//! Where a face is in the picture and which way it looks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::template::Place;
use crate::geometry::Point;

/// How a face stands in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Centre of the eyes, pixels.
    pub centre: Point,
    /// Pixels per unit of the template.
    pub scale: f32,
    /// Turn within the picture, radians, clockwise as seen.
    pub roll: f32,
    /// -1 to 1: towards the left or the right of the picture.
    pub yaw: f32,
}

impl Pose {
    /// From here on WFLW would speak of a large pose.
    pub const LARGE_YAW: f32 = 0.55;

    /// A random turn; most faces look into the camera.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let bell = |rng: &mut ChaCha8Rng| {
            (0..3).map(|_| rng.random_range(-1.0f32..1.0)).sum::<f32>() / 3.0
        };
        Self {
            centre: [0.0, 0.0],
            scale: 1.0,
            roll: bell(rng) * 0.9,
            yaw: (bell(rng) * 1.6).clamp(-1.0, 1.0),
        }
    }

    /// Whether the face looks far to the side.
    pub fn is_large(&self) -> bool {
        self.yaw.abs() >= Self::LARGE_YAW
    }

    /// Template -> picture, pixels. Turning the head squeezes the half that turns away, widens
    /// the other a little, and moves what sticks out.
    pub fn apply(&self, [x, y, z]: Place) -> Point {
        let away = x * self.yaw > 0.0;
        let strength = self.yaw.abs();
        let stretch = if away {
            1.0 - 0.45 * strength
        } else {
            1.0 + 0.05 * strength
        };
        let turned = x * stretch + 0.4 * self.yaw * z;
        let (sin, cos) = self.roll.sin_cos();
        [
            self.centre[0] + self.scale * (turned * cos - y * sin),
            self.centre[1] + self.scale * (turned * sin + y * cos),
        ]
    }

    /// The same pose in a picture `factor` times as large.
    pub fn enlarged(&self, factor: f32) -> Self {
        Self {
            centre: self.centre.map(|v| v * factor),
            scale: self.scale * factor,
            ..*self
        }
    }
}
