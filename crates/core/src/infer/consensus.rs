//! Landmarks that several looks at one face agree on.

use image::RgbImage;

use super::predictor::Predictor;
use super::refiner::Aligned;
use crate::error::Result;
use crate::geometry::{Face, FaceCrop, Point};

/// How the crops of the looks differ from the first one: shift in sides of the crop, factor of the
/// side, degrees. Each is looked at twice, the second time mirrored.
const VIEWS: [([f32; 2], f32, f32); 5] = [
    ([0.0, 0.0], 1.0, 0.0),
    ([0.04, 0.02], 0.92, 8.0),
    ([-0.04, 0.02], 0.92, -8.0),
    ([0.02, -0.04], 1.1, 15.0),
    ([-0.02, -0.04], 1.1, -15.0),
];

/// The mean of several looks at a face.
#[derive(Clone, Debug, PartialEq)]
pub struct Consensus {
    /// Mean landmarks, pixels of the photo.
    pub landmarks: Vec<Point>,
    /// How far the looks lie from the mean, averaged over points and looks, as a share of the
    /// longer side of the landmarks' bounds.
    pub spread: f32,
}

impl Predictor {
    /// Look at `face` of `photo`, whose landmarks say where it is, from several crops of the last
    /// aligner, straight and mirrored. `None` when they give no crop.
    ///
    /// # Errors
    /// When there is no aligner, or the device fails.
    pub fn consensus(&self, photo: &RgbImage, face: &Face) -> Result<Option<Consensus>> {
        let refiner = self.second_look()?.last();
        let Some(first) = refiner.crop_around(&face.landmarks) else {
            return Ok(None);
        };
        let crops: Vec<FaceCrop> = VIEWS
            .iter()
            .map(|&([x, y], factor, degrees)| FaceCrop {
                centre: [
                    first.centre[0] + x * first.side,
                    first.centre[1] + y * first.side,
                ],
                side: first.side * factor,
                angle: first.angle + degrees.to_radians(),
            })
            .collect();
        let mut looks: Vec<Aligned> = Vec::new();
        for mirrored in [false, true] {
            looks.extend(
                refiner
                    .look_at(photo, &crops, mirrored)?
                    .into_iter()
                    .flatten(),
            );
        }
        let looks: Vec<Vec<Point>> = looks.into_iter().map(|look| look.landmarks).collect();
        Ok(agree(
            &looks,
            first.side / refiner.settings().aligner.context,
        ))
    }
}

/// Mean and spread of `looks`, for a face of `side` pixels; `None` without any.
fn agree(looks: &[Vec<Point>], side: f32) -> Option<Consensus> {
    let points = looks.first()?.len();
    let share = 1.0 / looks.len() as f32;
    let mut mean = vec![[0.0f32; 2]; points];
    for look in looks {
        for (sum, point) in mean.iter_mut().zip(look) {
            sum[0] += point[0] * share;
            sum[1] += point[1] * share;
        }
    }
    let distances = looks.iter().flat_map(|look| {
        let pairs = look.iter().zip(&mean);
        pairs.map(|(p, m)| (p[0] - m[0]).hypot(p[1] - m[1]))
    });
    let total: f32 = distances.sum();
    Some(Consensus {
        spread: total * share / (points.max(1) as f32 * side),
        landmarks: mean,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_by_hand() {
        let looks = [vec![[0.0, 0.0], [10.0, 0.0]], vec![[6.0, 8.0], [10.0, 0.0]]];
        let found = agree(&looks, 50.0).unwrap();
        assert_eq!(found.landmarks, [[3.0, 4.0], [10.0, 0.0]]);
        // Two looks 5 pixels from the mean of one point, none from that of the other.
        assert!((found.spread - 2.5 / 50.0).abs() < 1e-6);
        assert_eq!(agree(&[], 50.0), None);
    }
}
