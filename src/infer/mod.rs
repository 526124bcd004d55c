//! From a photo to faces: the one inference path of the program, which is that of the core crate.
//! `detect`, `evaluate` and the snapshots of training all go through [`Predictor`]; here are networks
//! on burn's devices for it, and the whole configurations that came with weights.

mod burn;
mod compute;
mod predictor;

pub use compute::Compute;
pub use predictor::Predictor;
pub use retinamark_core::infer::{
    AlignOptions, Around, CLOSE, Clock, Consensus, DetectOptions, FIRST_LOOK, FULL_SIZE_LIMIT,
    InputSize, Prepared, Stage,
};
