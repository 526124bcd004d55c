//! Several things at once, where there are threads.

/// Threads of the pool that the caller is in.
#[cfg(feature = "rayon")]
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Both, at the same time if a thread is free.
#[cfg(feature = "rayon")]
pub fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    rayon::join(a, b);
}

/// On a thread of the pool, so that what is done in parallel need not go there each time.
#[cfg(feature = "rayon")]
pub fn on_a_worker(work: impl FnOnce() + Send) {
    rayon::scope(|_| work());
}

/// `work` on each item; results in the order of the items.
#[cfg(feature = "rayon")]
pub fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    items.into_par_iter().map(work).collect()
}

/// One: there are no others.
#[cfg(not(feature = "rayon"))]
pub const fn threads() -> usize {
    1
}

/// One after the other.
#[cfg(not(feature = "rayon"))]
pub fn join(a: impl FnOnce(), b: impl FnOnce()) {
    a();
    b();
}

/// Here.
#[cfg(not(feature = "rayon"))]
pub fn on_a_worker(work: impl FnOnce()) {
    work();
}

/// `work` on each item.
#[cfg(not(feature = "rayon"))]
pub fn map<T, R>(items: Vec<T>, work: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(work).collect()
}
