//! Anchors: where they lie, which face each one learns, and how boxes and landmarks are coded
//! relative to them.

mod cache;
mod coder;
mod generator;
mod matcher;
mod targets;

pub use cache::AnchorCache;
pub use coder::Coder;
pub use generator::Anchors;
pub use matcher::{Match, Matcher};
pub use targets::{TargetBuilder, Targets, Truth};
