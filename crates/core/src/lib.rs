//! What runs retinamark's networks: no training, no terminal.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod engine;
pub mod error;
pub mod graph;
pub mod net;
#[cfg(feature = "onnx")]
pub mod onnx;

pub use error::{Error, Result};
