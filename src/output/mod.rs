//! Results on disk: `detections.jsonl`, the CSV table, the gallery, `.pts` files, drawings, aligned crops.
//! Every file is complete or not there.

mod drawing;
mod gallery;
mod journal;
mod layout;
mod name;
mod provenance;
mod pts;
mod table;

pub use drawing::draw;
pub use gallery::{Sources, link, thumbnail, write_gallery};
pub use journal::{
    Done, Earlier, GALLERY, Journal, Page, RECORD, RECORD_HIDDEN, TABLE, existing_record,
    is_own_file,
};
pub use layout::{Layout, is_own_picture};
pub use name::portable_name;
pub use provenance::{Settings, Stamp};
pub use pts::pts_text;
pub use retinamark_core::imaging::crop::{align, aligned_crop, has_template, template};
pub use retinamark_core::record::{FaceRecord, PhotoRecord};
pub use table::{Columns, write_table};
