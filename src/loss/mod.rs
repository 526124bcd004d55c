//! What training minimises.

mod align;
mod learn;
mod mining;
mod multibox;

pub use align::AlignLoss;
pub use learn::Learn;
pub use mining::hard_negatives;
pub use multibox::{Losses, MultiBox};
