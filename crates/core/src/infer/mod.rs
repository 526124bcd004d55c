//! From a photo to faces: [`Predictor`].

mod cascade;
mod clock;
mod closer;
mod consensus;
mod detector;
mod executor;
mod framing;
mod network;
mod options;
mod predictor;
mod prepare;
mod refiner;
#[cfg(feature = "onnx")]
mod scrfd;
mod turned;
mod twins;
mod votes;

pub use clock::{Clock, Stage};
pub use closer::FIRST as FIRST_LOOK;
pub use consensus::Consensus;
pub use executor::{Aligner, Detector, Program};
pub use framing::{Around, Framing};
pub use network::{Answer, FirstLook, RawLandmarks, SecondLook};
pub use options::{AlignOptions, DetectOptions, FULL_SIZE_LIMIT, InputSize};
pub use predictor::{First, Predictor, Second};
pub use prepare::{Prepared, Scaled, fit};
pub use refiner::CLOSE;
#[cfg(feature = "onnx")]
pub use scrfd::Scrfd;
