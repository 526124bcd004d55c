//! Which files labels are read from.

use std::path::PathBuf;

use anyhow::Result;

use super::list::Faults;
use super::{Report, pts};
use crate::config::{OnError, SourceConfig, SourceKind};

/// The files that the list of a source consists of, in the order in which they are read: one, or
/// all `.pts` files.
///
/// # Errors
/// When a folder or glob of `.pts` files cannot be read, or holds none.
pub fn list_files(source: &SourceConfig) -> Result<Vec<PathBuf>> {
    if source.kind != SourceKind::Pts {
        return Ok(vec![source.list.clone()]);
    }
    // Whoever reads the labels tells what is wrong with them.
    let mut report = Report::default();
    let faults = &mut Faults::new(&source.list, OnError::Skip, &mut report);
    pts::files(&source.list, faults)
}
