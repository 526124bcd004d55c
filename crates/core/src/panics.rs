//! Panics of libraries (a decoder that meets a file nobody thought of) as errors of one item.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// A panic that [`caught`] caught: its text and place.
#[derive(Debug, thiserror::Error)]
#[error("internal error: {0}")]
pub struct Panicked(String);

thread_local! {
    /// How many [`caught`] are open on this thread; a thread of a pool whose panics end up in one
    /// counts as one more.
    static OPEN: Cell<usize> = const { Cell::new(0) };
    /// Where the last panic of an open [`caught`] happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Run `work`; a panic in it becomes an error that holds its text and place, and nothing of it is
/// printed. What `work` was changing when it panicked must not be used any more.
///
/// # Errors
/// Those of `work`, and its panic.
pub fn caught<T, E: From<Panicked>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    silence_caught_ones();
    OPEN.with(|open| open.set(open.get() + 1));
    PLACE.set(None);
    let result = catch_unwind(AssertUnwindSafe(work));
    OPEN.with(|open| open.set(open.get() - 1));
    result.unwrap_or_else(|payload| Err(Panicked(describe(&*payload)).into()))
}

/// Say that panics of this thread, one of a pool, are passed on to a [`caught`] elsewhere.
pub fn passed_on() {
    silence_caught_ones();
    OPEN.with(|open| open.set(open.get() + 1));
}

/// The default hook prints a panic where it happens, before anybody can catch it.
fn silence_caught_ones() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if OPEN.with(Cell::get) == 0 {
                return others(info);
            }
            let place = info.location().map(ToString::to_string);
            PLACE.with_borrow_mut(|kept| *kept = place);
        }));
    });
}

fn describe(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("it left no message");
    match PLACE.with_borrow_mut(Option::take) {
        Some(place) => format!("{text} ({place})"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_text_and_place() {
        let error = caught::<(), Panicked>(|| panic!("bad {}", 7))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("bad 7") && error.contains("panics.rs"),
            "{error}"
        );
        assert_eq!(caught(|| Ok::<_, Panicked>(3)).unwrap(), 3);
        assert_eq!(OPEN.with(Cell::get), 0);
    }
}
