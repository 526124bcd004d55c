//! Networks from and to ONNX files.
//!
//! [`write()`] makes of a [`Graph`](crate::graph::Graph) a file that other programs run; [`read()`]
//! makes of a file a graph, as far as its operations can be said in
//! [`Op`](crate::graph::Op)s.
//!
//! The messages are derived by hand: `onnx-pb` stands still at prost 0.6,
//! `onnx-protobuf` is under the MPL and brings another protobuf library, and `onnx-ir` brings an
//! intermediate representation of its own and has no writer.

mod proto;
mod read;
mod write;

pub use read::{Model, read};
pub use write::{Decoding, Options, Size, write};

/// `[x, y]` of the centre of each pixel of a map, row by row, where the middle of the map is 0 and
/// its edges are `reach` away.
fn places(height: usize, width: usize, reach: f32) -> Vec<f32> {
    let place = |i: usize, side: usize| ((i as f32 + 0.5) / side as f32 * 2.0 - 1.0) * reach;
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| [x, y]));
    pixels
        .flat_map(|[x, y]| [place(x, width), place(y, height)])
        .collect()
}
