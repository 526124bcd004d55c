//! Training: the loop, and what it leaves behind (checkpoints, logs, snapshots, weights).

pub mod checkpoint;
pub mod figures;
mod length;
pub mod log;
mod progress;
mod provenance;
mod replicas;
mod session;
mod setup;
mod snapshot;
mod task;
pub mod tensorboard;
mod trainer;
mod validation;

pub use length::{Length, schedule};
pub use session::train;
pub use setup::Start;
pub use snapshot::{Snapshots, snapshot_path};
pub use task::Trainable;
pub use trainer::{Ended, Trainer};
pub use validation::Validator;
