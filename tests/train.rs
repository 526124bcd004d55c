//! Tests of optimisers, schedules, logs and the training loop.

mod bytes;
mod logs;
mod models;
mod optim;
mod overfit;
mod provenance;
pub mod run;
mod session;
mod sweep;
