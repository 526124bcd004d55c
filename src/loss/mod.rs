//! What training minimises.

mod align;
mod boxes;
mod detector;
mod distill;
mod head;
mod learn;
mod losses;

pub use align::AlignLoss;
pub use detector::DetectorLoss;
pub use learn::Learn;
pub use losses::Losses;
