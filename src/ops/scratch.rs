//! Memory: working buffers that are kept from call to call, and results that start out unwritten.

use std::cell::RefCell;
use std::mem::MaybeUninit;
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

/// A vector of `len` floats that `write` fills. Zeros that are overwritten at once would cost
/// every step a pass over all its tensors (6 % of it).
///
/// # Safety
/// `write` must give every element a value.
pub(super) unsafe fn written(len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    write(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: the capacity is `len` or more, and the caller promises that all are written.
    unsafe { values.set_len(len) };
    values
}
