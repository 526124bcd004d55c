//! Plain `f32` geometry: boxes, landmark schemes, affine maps, letterboxes. Knows nothing of burn.

mod affine;
mod boxes;
mod face;
pub mod landmarks;
mod letterbox;

pub use affine::Affine;
pub use boxes::BoxXyxy;
pub use face::Face;
pub use landmarks::Scheme;
pub use letterbox::Letterbox;

/// `[x, y]`, pixels.
pub type Point = [f32; 2];
