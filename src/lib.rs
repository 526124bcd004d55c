//! retinamark finds faces and their landmarks (98 by default) in photos: a RetinaFace-style joint
//! detector on [burn](https://burn.dev), with everything to train, check and run it.

#![warn(missing_docs)]

pub mod anchors;
pub mod assign;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod console;
pub mod data;
pub mod device;
pub mod evaluation;
pub mod extract;
pub mod fs;
pub mod infer;
pub mod interrupt;
pub mod kinds;
pub mod landmark_loss;
pub mod loss;
pub mod metrics;
pub mod model;
pub mod ops;
pub mod optim;
pub mod output;
pub mod pose_loss;
pub mod program;
pub mod render;
pub mod serve;
pub mod synth;
pub mod task;
pub mod teacher;
pub mod text;
pub mod train;

pub use retinamark_core::{geometry, imaging, panics, postprocess};
