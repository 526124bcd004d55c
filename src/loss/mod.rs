//! What training minimises.

mod landmark;
mod mining;
mod multibox;

pub use landmark::LandmarkLoss;
pub use mining::hard_negatives;
pub use multibox::{Losses, MultiBox};
