//! Training and validation data: lists of labelled photos, augmentation, batches.
//!
//! A [`Dataset`] holds what several lists say about their photos; a [`Loader`] turns it into
//! batches of augmented crops with their training targets, in worker threads.

pub mod augment;
mod batcher;
mod beside;
mod convert;
mod dataset;
mod files;
mod fit;
mod list;
mod loader;
mod merge;
mod order;
mod overlap;
mod parse;
mod photos;
mod pts;
mod repeats;
mod report;
mod retinaface;
pub mod sample;
mod source;
mod stats;
mod wflw;
mod wider;

pub use batcher::{Batch, Batcher, Item};
pub use convert::Converter;
pub use dataset::Dataset;
pub use files::list_files;
pub use loader::Loader;
pub use merge::{MATCH_IOU, Merged, merge};
pub use order::{Group, epoch_order, item_rng};
pub use overlap::refuse_overlap;
pub use parse::parse_list;
pub use report::{Reason, Report, Skipped};
pub use sample::{FaceLabel, Sample};
pub use stats::Stats;
pub use wflw::wflw_line;
