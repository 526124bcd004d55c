//! Training and validation data.

pub mod sample;

pub use sample::{FaceLabel, Sample};
