//! Decoded photos that stay in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Result;
use image::RgbImage;

/// Keeps decoded photos until it is full, then keeps what it has: throwing photos out would gain
/// nothing, since an epoch visits each of them once.
#[derive(Debug)]
pub(super) struct PhotoCache {
    limit: usize,
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    photos: HashMap<usize, Arc<RgbImage>>,
}

impl PhotoCache {
    pub(super) fn new(mib: usize) -> Self {
        Self {
            limit: mib.saturating_mul(1 << 20),
            kept: RwLock::default(),
        }
    }

    /// The photo with this index, from memory or from `load`.
    pub(super) fn get(
        &self,
        index: usize,
        load: impl FnOnce() -> Result<RgbImage>,
    ) -> Result<Arc<RgbImage>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(photo) = kept.photos.get(&index) {
            return Ok(Arc::clone(photo));
        }
        drop(kept);
        let photo = Arc::new(load()?);
        let bytes = photo.as_raw().len();
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + bytes <= self.limit && !kept.photos.contains_key(&index) {
            kept.bytes += bytes;
            kept.photos.insert(index, Arc::clone(&photo));
        }
        Ok(photo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_cache_keeps_what_it_has() {
        let cache = PhotoCache::new(1);
        let big = || Ok(RgbImage::new(500, 400));
        for index in [0, 1, 2] {
            cache.get(index, big).unwrap();
        }
        let refuse = || anyhow::bail!("decoded again");
        assert!(cache.get(0, refuse).is_ok());
        assert!(cache.get(1, refuse).is_err());
    }
}
