//! Augmentation of training photos. All geometric transforms are composed into one affine map and
//! one warp; colours change afterwards. Every random choice comes from the generator that is
//! passed in.

mod blur;
mod color;
mod crop;
mod draw;
mod erase;
mod flip;
mod grey;
mod jpeg;
mod labels;
mod pipeline;
mod rotate;

pub use pipeline::Pipeline;
