//! The networks, each described once: functions over [`Ops`], which knows how to compute (tensors
//! that train) or how to write down ([`crate::graph::Trace`], from which everything else is made:
//! names and shapes of tensors, costs, the executor, ONNX, 8 bits).
//!
//! Architecture: RetinaFace (Deng et al., 2019, arXiv:1905.00641) as in
//! `biubug6/Pytorch_Retinaface`, whose weights load, plus a squeeze-and-excitation block on each
//! level and a head for any number of landmarks; SCRFD's pyramid and heads (Guo et al., 2021,
//! arXiv:2105.04714) with the same blocks added; and a landmark regressor in the manner of PFLD
//! (Guo et al., 2019, arXiv:1902.10859).

mod aligner;
mod backbone;
mod describe;
mod detector;
mod neck;
mod norms;
mod ops;

pub use aligner::{AlignerNet, AlignerOutputs};
pub use backbone::{Backbone, BackboneKind};
pub use detector::{DetectorNet, DetectorOutputs, Family, LEVELS, MAX_LOG_SIZE};
pub use ops::{Act, Conv, Init, Linear, Norm, Ops, Padding, Pool};
