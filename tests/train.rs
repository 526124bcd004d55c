//! Tests of optimisers, schedules, logs and the training loop.

mod bytes;
mod devices;
mod logs;
mod models;
pub mod optim;
mod overfit;
mod provenance;
pub mod run;
mod session;
mod sweep;
