//! Plain `f32` geometry: boxes, landmarks and their schemes, head poses, affine maps, distortions, letterboxes. Knows
//! nothing of burn.

mod affine;
mod boxes;
mod distortion;
mod face;
mod face_crop;
mod face_model;
mod head_pose;
pub mod landmarks;
mod letterbox;
mod pairs;
mod points;
mod pts;
mod rotation;

pub use affine::Affine;
pub use boxes::BoxXyxy;
pub use distortion::{Distortion, Homography, YawWarp};
pub use face::{Face, TRUSTED};
pub use face_crop::{EYES_AND_MOUTH, FaceCrop};
pub use face_model::FaceModel;
pub use head_pose::HeadPose;
pub use landmarks::Scheme;
pub use letterbox::Letterbox;
pub use pairs::best_pairs;
pub use points::{Landmark, Landmarks};
pub use pts::{from_pts, to_pts};

/// `[x, y]`, pixels.
pub type Point = [f32; 2];
