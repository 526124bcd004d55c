//! Training and validation data: lists of labelled photos, augmentation, batches.
//!
//! A [`Dataset`] holds what several lists say about their photos; a [`Loader`] turns it into
//! batches of augmented crops with their training targets, in worker threads.

mod attributes;
pub mod augment;
mod batcher;
mod before;
mod beside;
mod by_face;
mod coco;
mod convert;
mod count;
mod crops;
mod dataset;
mod files;
mod fit;
mod formats;
mod head_poses;
mod lapa;
mod list;
mod loader;
mod mat;
mod mat5;
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
mod yolo;

pub use attributes::AttributeWeights;
pub use batcher::{Batch, Batcher, Item};
pub use before::Before;
pub use convert::Converter;
pub use crops::{CropRange, crop_text};
pub use dataset::Dataset;
pub use files::list_files;
pub use formats::is_list;
pub use loader::Loader;
pub use merge::{MATCH_IOU, Merged, merge};
pub use order::{Group, epoch_order, item_rng};
pub use overlap::refuse_overlap;
pub use parse::parse_list;
pub use report::{Reason, Report, Skipped};
pub use sample::{FaceLabel, Sample};
pub use stats::Stats;
pub use wflw::wflw_line;
