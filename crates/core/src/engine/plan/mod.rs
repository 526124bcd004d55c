//! A graph for one size of input, turned into steps on buffers.

mod build;
mod dense;
mod heads;
mod pack;
mod place;
mod roles;
mod separable;

use super::layout::Place;
use super::steps::Step;

pub use build::build;
pub use pack::Packed;

/// Everything that running a graph at one size takes, but for memory.
#[derive(Debug)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Box<dyn Step>>,
    /// Slot of each buffer: buffers that are not needed at the same time share one.
    pub slot_of: Vec<usize>,
    /// Numbers of each slot.
    pub slots: Vec<usize>,
    /// Numbers of working memory of each thread.
    pub scratch: usize,
    /// Names and places of what the graph gives.
    pub outputs: Vec<(String, Place)>,
}
