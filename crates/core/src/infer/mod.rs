//! From a photo to faces: what happens before and after the networks.

mod options;
mod prepare;
pub mod twins;
pub mod votes;

pub use options::{AlignOptions, DetectOptions, FULL_SIZE_LIMIT, InputSize};
pub use prepare::{Prepared, Scaled, fit};
