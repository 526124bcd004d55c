//! Tests of optimisers, schedules, logs and the training loop.

mod logs;
mod models;
mod devices;
pub mod optim;
mod overfit;
mod provenance;
pub mod run;
mod session;
mod sweep;
