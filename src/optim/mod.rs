//! What burn lacks or does per tensor: one optimiser step over all weights at once (so that the
//! gradient norm is global), weight decay by kind of parameter, moving averages, schedules.

mod ema;
mod layout;
mod optimizer;
mod schedule;

pub use ema::Ema;
pub use layout::{Entry, Kind, Layout};
pub use optimizer::{Optimizer, OptimizerState};
pub use schedule::Schedule;
