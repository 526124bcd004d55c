//! What the networks of both tasks are taught.

use anyhow::Result;

use super::{Anchors, TargetBuilder, Targets, Truth};
use crate::config::{Config, Task};

/// Anchors and targets of square inputs, as a task has them: many anchors that faces are matched to,
/// or the crop of a single face as the only one.
#[derive(Debug)]
pub struct TaskTargets {
    task: Task,
    builder: TargetBuilder,
    anchors: Anchors,
}

impl TaskTargets {
    /// For the task of `config` and inputs of `side` pixels.
    ///
    /// # Errors
    /// When the landmark scheme makes no sense.
    pub fn new(config: &Config, side: u32) -> Result<Self> {
        let size = [side, side];
        Ok(Self {
            task: config.task,
            builder: TargetBuilder::new(config)?,
            anchors: match config.task {
                Task::Detect => Anchors::generate(&config.anchors, size),
                Task::Align => Anchors::single(config.aligner.anchor_cxcywh(), size),
            },
        })
    }

    /// The anchors of an input.
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// What the network should say about an input with these faces, of which an aligner sees the first
    /// one. `complete`: all faces in it are labelled.
    ///
    /// # Errors
    /// As [`TargetBuilder::build`] and [`TargetBuilder::of_face`].
    pub fn of(&self, faces: &[Truth], complete: bool) -> Result<Targets> {
        match (self.task, faces.first()) {
            (Task::Align, Some(face)) => self.builder.of_face(&self.anchors, face),
            (Task::Align, None) => Ok(Targets::default()),
            (Task::Detect, _) => self.builder.build(&self.anchors, faces, complete),
        }
    }
}
