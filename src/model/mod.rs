//! The networks on burn's tensors, which train: layers with the names and start values that the
//! descriptions in [`retinamark_core::net`] ask for, and the kernels of [`crate::ops`]. Raw outputs
//! only; anchors, losses and decoding live elsewhere.

mod aligner;
mod bytes;
mod forward;
mod grid;
mod layers;
mod network;
mod retinaface;
mod task;
mod tensors;
pub mod weights;

pub use aligner::{Aligner, AlignerOutputs};
pub use bytes::{InputRanges, Range};
pub use forward::Forward;
pub use network::{Describe, Model, Network};
pub use retinaface::{Outputs, RetinaFace, RetinaFaceNet};
pub(crate) use task::with_network;
