//! From a photo to faces: the one inference path of the program. `detect`, `evaluate` and the
//! snapshots of training all go through [`Predictor`].

mod burn;
mod compute;
mod consensus;
mod detector;
mod executor;
mod network;
mod onnx;
mod predictor;
mod refiner;

pub use compute::Compute;
pub use consensus::Consensus;
pub use predictor::Predictor;
pub use retinamark_core::infer::{
    AlignOptions, DetectOptions, FULL_SIZE_LIMIT, InputSize, Prepared,
};
