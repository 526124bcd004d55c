//! From a photo to faces: the one inference path of the program. `detect`, `evaluate` and the
//! snapshots of training all go through [`Predictor`].

mod burn;
mod compute;
mod consensus;
mod detector;
mod executor;
mod network;
mod onnx;
mod options;
mod predictor;
mod prepare;
mod refiner;
mod twins;
mod votes;

pub use compute::Compute;
pub use consensus::Consensus;
pub use options::{AlignOptions, DetectOptions, FULL_SIZE_LIMIT, InputSize};
pub use predictor::Predictor;
pub use prepare::Prepared;
