//! What burn lacks or does per tensor: one optimiser step over all weights at once (so that the
//! gradient norm is global), weight decay by kind of parameter, moving averages, schedules. The
//! sections `optimizer` and `schedule` of the settings.

mod ema;
mod gradients;
mod layout;
mod optimizer;
mod rule;
mod schedule;
mod settings;

pub use ema::Ema;
pub use gradients::Gradients;
pub use layout::{Entry, Kind, Layout};
pub use optimizer::{Optimizer, OptimizerState};
pub use rule::*;
pub use schedule::*;
pub use settings::{OptimizerConfig, Regularizer};
