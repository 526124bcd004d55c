//! Photos in, RGB8 out: decoding, resizing, warping, aligned crops, and the numbers that
//! the network sees.
//!
//! All coordinates are those of [`crate::geometry`]: pixel `i` covers `[i, i + 1)`, its centre is
//! at `i + 0.5`, and scaling by `s` maps `p` to `p * s`.

mod bmp;
pub mod crop;
mod decode;
mod gif;
mod jpeg;
mod kinds;
mod limits;
mod pixels;
mod png;
mod resize;
mod tensor;
mod tiff;
mod warp;
mod webp;

pub use decode::{PhotoFile, decode_rgb, load_rgb, probe, probe_bytes};
pub use kinds::{PHOTO_ENDINGS, is_photo_name, is_sidecar, unreadable_ending, unreadable_kind};
pub use limits::Limits;
pub use resize::{resize, resize_region};
pub use tensor::fill_tensor;
pub use warp::{warp, warp_distorted};
