//! What losses of the head's pose look at.

use burn::tensor::{Tensor, TensorData};

use crate::geometry::HeadPose;

/// How far the heads of B faces are from how they are turned.
#[derive(Clone, Debug)]
pub struct PoseErrors {
    /// `[B,1]`: the sum of `1 - cos(predicted - true)` over pitch, yaw and roll; 0 where the truth is
    /// not known.
    pub each: Tensor<2>,
    /// `[B,1]`: 1 where the truth is not known, else 0.
    pub unknown: Tensor<2>,
    /// Faces of which it is known.
    pub faces: usize,
}

impl PoseErrors {
    /// Of predicted `angles` `[B,3]` (pitch, yaw, roll, radians) and the truth of each.
    pub fn new(angles: &Tensor<2>, truths: &[Option<HeadPose>]) -> Self {
        let (device, faces) = (angles.device(), truths.len());
        let true_angles = truths
            .iter()
            .flat_map(|t| <[f32; 3]>::from(t.unwrap_or_default()));
        let true_angles = TensorData::new(true_angles.collect::<Vec<f32>>(), [faces, 3]);
        let unknown = truths.iter().map(|t| f32::from(u8::from(t.is_none())));
        let unknown = TensorData::new(unknown.collect::<Vec<f32>>(), [faces, 1]);
        let unknown = Tensor::<2>::from_data(unknown, &device);
        let half = (angles.clone() - Tensor::from_data(true_angles, &device)) * 0.5;
        // 1 - cos d, without the rounding that swallows small errors.
        let each = (half.sin().square() * 2.0).sum_dim(1);
        Self {
            each: each * (unknown.clone() * -1.0 + 1.0),
            unknown,
            faces: truths.iter().flatten().count(),
        }
    }
}
