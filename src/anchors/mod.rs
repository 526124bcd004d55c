//! Anchors, and which face each one learns.

mod matcher;
mod targets;
mod taught;

pub use matcher::{Match, Matcher};
pub use retinamark_core::anchors::*;
pub use targets::{TargetBuilder, Targets, Truth};
pub use taught::{Sure, Taught};
