//! What a task is: one trait, a file for each task, one line for each in [`of`]. The network that a
//! task trains is named in `model`.

mod align;
mod detect;
mod targets;

use std::fmt::Debug;

use anyhow::Result;

use crate::anchors::{Anchors, TargetBuilder, Targets, Truth};
use crate::config::{Config, Task};

pub use targets::TaskTargets;

/// What of the labelled photos a task learns from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// Whole photos, of which crops are drawn at random.
    Photos,
    /// One face at a time.
    Faces {
        /// Side of the crop, in longer sides of the upright face's landmarks.
        context: f32,
        /// How far outside the crop a point may lie to be learned, share of the crop's side.
        margin: f32,
    },
}

/// What is different for each task between the labelled photos and the loss, and how what comes of it
/// is judged.
pub trait TaskKind: Debug + Send + Sync {
    /// What its training samples are.
    fn view(&self, config: &Config) -> View;

    /// Side of its square training crops, pixels.
    fn crop_side(&self, config: &Config) -> u32;

    /// Side of what its network is given when it is used, pixels; of photos the longer one.
    fn input_side(&self, config: &Config) -> u32;

    /// The anchors of a square input of `side` pixels.
    fn anchors(&self, config: &Config, side: u32) -> Anchors;

    /// What the network should say about an input with these `anchors` and faces. `complete`: all
    /// faces in it are labelled.
    ///
    /// # Errors
    /// When a face has landmarks of another scheme, or one that is labelled and nowhere (NaN).
    fn targets(
        &self,
        builder: &TargetBuilder,
        anchors: &Anchors,
        faces: &[Truth],
        complete: bool,
    ) -> Result<Targets>;

    /// The errors that checkpoints are chosen by, as reports name their figures: the first one that a
    /// validation has measured counts.
    fn errors(&self) -> &'static [&'static str];
}

/// What `task` is.
pub fn of(task: Task) -> &'static dyn TaskKind {
    match task {
        Task::Detect => &detect::Detect,
        Task::Align => &align::Align,
    }
}
