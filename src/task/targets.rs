use anyhow::Result;

use super::TaskKind;
use crate::anchors::{Anchors, TargetBuilder, Targets, Truth};
use crate::config::Config;

/// Anchors and targets of square inputs, as a task has them.
#[derive(Debug)]
pub struct TaskTargets {
    task: &'static dyn TaskKind,
    builder: TargetBuilder,
    anchors: Anchors,
}

impl TaskTargets {
    /// For the task of `config` and inputs of `side` pixels.
    ///
    /// # Errors
    /// When the landmark scheme makes no sense.
    pub fn new(config: &Config, side: u32) -> Result<Self> {
        let task = super::of(config.task);
        Ok(Self {
            task,
            builder: TargetBuilder::new(config)?,
            anchors: task.anchors(config, side),
        })
    }

    /// The anchors of an input.
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// What the network should say about an input with these faces. `complete`: all faces in it are
    /// labelled.
    ///
    /// # Errors
    /// As [`TaskKind::targets`].
    pub fn of(&self, faces: &[Truth], complete: bool) -> Result<Targets> {
        let Self {
            task,
            builder,
            anchors,
        } = self;
        task.targets(builder, anchors, faces, complete)
    }
}
