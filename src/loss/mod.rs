//! What training minimises.

mod align;
mod learn;
mod losses;
mod mining;
mod multibox;

pub use align::AlignLoss;
pub use learn::Learn;
pub use losses::Losses;
pub use mining::hard_negatives;
pub use multibox::MultiBox;
