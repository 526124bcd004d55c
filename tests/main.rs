//! One integration binary: each module exercises one part of the program.

mod aligner;
mod anchors;
mod augment;
mod bytes;
mod cascade;
mod cli;
mod config;
mod data;
mod detect;
#[cfg(feature = "tch")]
mod device;
mod evaluate;
mod executor;
mod extract;
mod fuzz_seeds;
mod geometry;
mod golden;
mod imaging;
mod looks;
mod loss;
mod metrics;
mod model;
mod ops;
mod pose;
mod properties;
mod regression;
mod scrfd;
mod serve;
mod support;
mod synth;
mod tasks;
mod train;
mod variants;
