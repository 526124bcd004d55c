//! Which reader serves which kind of source.

use super::files::Format;
use super::{crops, lapa, mat, pts, yolo};
use crate::config::SourceKind;

/// Who reads the labels of a source.
pub(super) enum Reader {
    /// [`super::wflw`].
    Wflw,
    /// [`super::wider`].
    Wider,
    /// [`super::retinaface`].
    Retinaface,
    /// [`super::coco`].
    Coco,
    /// [`super::files`], each photo having a file of labels.
    Files(&'static Format),
}

impl Reader {
    /// The reader of a kind.
    pub(super) const fn of(kind: SourceKind) -> Self {
        match kind {
            SourceKind::Wflw => Self::Wflw,
            SourceKind::Wider => Self::Wider,
            SourceKind::Retinaface => Self::Retinaface,
            SourceKind::Coco => Self::Coco,
            SourceKind::Pts => Self::Files(&pts::FORMAT),
            SourceKind::Mat => Self::Files(&mat::FORMAT),
            SourceKind::Lapa => Self::Files(&lapa::FORMAT),
            SourceKind::Yolo => Self::Files(&yolo::FORMAT),
            SourceKind::Crops => Self::Files(&crops::FORMAT),
        }
    }
}

/// Whether sources of this kind are one list with the names of all photos; others have a file of
/// labels for each photo.
pub const fn is_list(kind: SourceKind) -> bool {
    !matches!(Reader::of(kind), Reader::Files(_))
}
