//! Where the gallery finds the photos of a call.

use std::path::{Path, PathBuf};

use super::sources::Source;
use crate::output::{self, Layout, Sources};

/// The folder of the results, and what was looked at.
pub struct Gallery<'a> {
    /// Where the page goes.
    pub out: &'a Path,
    /// The PATHs.
    pub sources: &'a [Source],
}

impl Sources for Gallery<'_> {
    fn link(&self, image: &str) -> Option<String> {
        let mut files = self
            .sources
            .iter()
            .filter_map(|source| source.file_of(image));
        output::link(self.out, &files.next()?)
    }

    /// Names with bytes that are no UTF-8 find none.
    fn thumbnail(&self, image: &str) -> PathBuf {
        Layout::new(self.out, Path::new(image)).thumbnail()
    }
}
