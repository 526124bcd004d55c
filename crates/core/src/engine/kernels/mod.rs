//! The inner loops, on slices of blocked values.
//!
//! A value is stored in blocks of [`Isa::lanes`] channels: `[row][block][column][lane]`, with a
//! border of zeros around where a convolution reads one. Functions here check the lengths of their
//! slices once for a row of outputs; the loops below do not, which is what the `unsafe` code of this
//! module is about: vector loads and stores through pointers, and calls of functions for an
//! instruction set that [`Isa`] has found on this processor.
#![allow(unsafe_code)]

mod buffer;
mod bytes;
mod conv;
mod depthwise;
mod dot;
mod element;
mod isa;
mod linear;
mod maps;
mod places;
mod simd;
mod winograd;

use isa::{DotKernel, Kernel};

pub use buffer::{Buffer, as_bytes};
pub use bytes::quantise_row;
pub use conv::{Add, ByteOutput, ConvRow, Weights, conv_row};
pub use depthwise::{DepthwiseRow, depthwise_row};
pub use element::{Bytes, Element, Numbers};
pub use isa::Isa;
pub use linear::linear;
pub use maps::{act_row, add_row, max_pool_row, mean_rows, prelu_row, scale_row, upsample_add_row};
pub use places::expected_places;
pub use winograd::{
    MOST_BLOCKS as WINOGRAD_BLOCKS, OUT as WINOGRAD_OUT, Target, Winograd, winograd_weights,
};
