//! What the two looks need of a network, whoever computes it.

use std::fmt::Debug;

use image::RgbImage;

use super::Scaled;
use crate::error::Result;

/// A detector's network.
pub trait FirstLook: Debug + Send + Sync {
    /// What it says about photos of one input size.
    ///
    /// # Errors
    /// When the device fails.
    fn run<'a>(&'a self, inputs: &[Scaled]) -> Result<Box<dyn Answer + 'a>>;
}

/// What a detector says about some photos; N anchors in the order level, y, x, anchor.
pub trait Answer {
    /// `[N,k]`: background and face before their softmax, or one before its sigmoid.
    ///
    /// # Errors
    /// When there is no such photo.
    fn logits(&self, photo: usize) -> Result<&[f32]>;

    /// `[N,4]` in the coder's terms.
    ///
    /// # Errors
    /// When there is no such photo.
    fn box_deltas(&self, photo: usize) -> Result<&[f32]>;

    /// `[P,2L]` in the coder's terms of the anchors `at` = (photo, anchor).
    ///
    /// # Errors
    /// When the device fails.
    fn landmark_deltas(&self, at: &[(usize, usize)]) -> Result<Vec<f32>>;
}

/// An aligner's network.
pub trait SecondLook: Debug + Send + Sync {
    /// What it says about each of some crops.
    ///
    /// # Errors
    /// When the device fails.
    fn run(&self, crops: &[RgbImage]) -> Result<Vec<RawLandmarks>>;
}

/// What an aligner says about a crop.
#[derive(Clone, Debug, PartialEq)]
pub struct RawLandmarks {
    /// `[2L]`, x before y, in the coder's terms.
    pub deltas: Vec<f32>,
    /// `[L]`: see [`crate::net::AlignerOutputs`].
    pub log_scales: Option<Vec<f32>>,
    /// Pitch, yaw and roll of the head in the crop, radians.
    pub pose: Option<[f32; 3]>,
}
