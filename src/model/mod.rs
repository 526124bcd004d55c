//! The network: backbone, feature pyramid, context modules, channel attention, heads. Raw outputs
//! only; anchors, losses and decoding live elsewhere.
//!
//! Architecture: RetinaFace (Deng et al., 2019, arXiv:1905.00641) as in
//! `biubug6/Pytorch_Retinaface`, whose weights load into it ([`weights`]), plus a
//! squeeze-and-excitation block on each level and a head for any number of landmarks.

pub mod aligner;
pub mod backbone;
pub mod blocks;
pub mod cost;
pub mod fpn;
mod freeze;
pub mod heads;
pub mod nets;
mod network;
mod retinaface;
pub mod se;
mod shapes;
pub mod ssh;
pub mod weights;

pub use aligner::{Aligner, AlignerOutputs};
pub use network::Network;
pub use retinaface::{MAX_LOG_SIZE, Outputs, RetinaFace};
