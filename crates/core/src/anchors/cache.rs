//! Anchors by input size.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Anchors;
use crate::settings::AnchorConfig;

/// Number of input sizes remembered; photos of every size pass through in full-size detection.
const REMEMBERED: usize = 32;

/// Anchors of each input size, generated once and shared between threads, never between sizes.
#[derive(Debug)]
pub struct AnchorCache {
    config: AnchorConfig,
    by_input: Mutex<HashMap<[u32; 2], Arc<Anchors>>>,
}

impl AnchorCache {
    /// An empty cache.
    pub fn new(config: &AnchorConfig) -> Self {
        Self {
            config: config.clone(),
            by_input: Mutex::default(),
        }
    }

    /// The anchors for an input of `[width, height]` pixels.
    pub fn get(&self, input: [u32; 2]) -> Arc<Anchors> {
        // A thread that panicked while holding the lock left at worst an entry missing.
        let mut known = self.by_input.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(anchors) = known.get(&input) {
            return Arc::clone(anchors);
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let anchors = Arc::new(Anchors::generate(&self.config, input));
        known.insert(input, Arc::clone(&anchors));
        anchors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_do_not_share_anchors() {
        let cache = AnchorCache::new(&AnchorConfig::default());
        let (a, b) = (cache.get([64, 32]), cache.get([32, 64]));
        assert_ne!(a, b);
        assert_eq!(a.len(), b.len());
        assert!(Arc::ptr_eq(&a, &cache.get([64, 32])));
        for side in 1..100 {
            assert_eq!(cache.get([side, 8]).input(), [side, 8]);
            assert!(cache.by_input.lock().unwrap().len() <= REMEMBERED);
        }
    }
}
