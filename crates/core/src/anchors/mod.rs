//! Anchors: where they lie, and how boxes and landmarks are coded relative to them.

mod cache;
mod coder;
mod generator;
mod head;

pub use cache::AnchorCache;
pub use coder::{Coder, MAX_LOG_SCALE};
pub use generator::Anchors;
pub use head::Head;
