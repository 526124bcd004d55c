//! What runs retinamark's networks: no training, no terminal.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod anchors;
pub mod calibrate;
pub mod engine;
pub mod error;
pub mod geometry;
pub mod graph;
pub mod imaging;
pub mod infer;
pub mod net;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod panics;
mod parallel;
pub mod postprocess;
pub mod record;
pub mod settings;
pub mod weights;

pub use error::{Error, Result};
