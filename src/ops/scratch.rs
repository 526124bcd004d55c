//! Working memory that is kept from call to call, per thread.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static POOL: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A borrowed buffer; it goes back to its thread's pool when dropped. A task that is stolen while
/// another waits on the same thread simply gets the next buffer.
pub(super) struct Scratch(Vec<f32>);

impl Scratch {
    /// `len` floats, whatever they held before.
    pub(super) fn stale(len: usize) -> Self {
        let mut buffer = POOL.with_borrow_mut(Vec::pop).unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, 0.0);
        } else {
            buffer.truncate(len);
        }
        Self(buffer)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // The pool is gone while its thread ends; the buffer is then simply freed.
        let _ = POOL.try_with(|pool| pool.borrow_mut().push(buffer));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
