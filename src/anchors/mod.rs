//! Anchors, and which face each one learns.

mod matcher;
mod targets;

pub use matcher::{Match, Matcher};
pub use retinamark_core::anchors::*;
pub use targets::{TargetBuilder, Targets, Truth};
