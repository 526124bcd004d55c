//! From a photo to faces: the one inference path of the program. `detect`, `evaluate` and the
//! snapshots of training all go through [`Predictor`].

mod consensus;
mod detector;
mod predictor;
mod refiner;

pub use consensus::Consensus;
pub use predictor::Predictor;
pub use retinamark_core::infer::{
    AlignOptions, DetectOptions, FULL_SIZE_LIMIT, InputSize, Prepared,
};
