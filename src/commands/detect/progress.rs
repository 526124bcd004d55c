//! How far a call is, while it may not know yet how much there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console;

/// How many photos are done, and how many are known. Clones show the same.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    found: Arc<AtomicU64>,
}

impl Progress {
    /// Not to be seen yet.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        set_style(&bar, "{spinner} {pos} photos of {msg}, {per_sec}");
        Self {
            bar,
            found: Arc::default(),
        }
    }

    /// Show it from now on, where stderr is a terminal.
    pub fn show(&self) {
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }

    /// There is one more photo to look at.
    pub fn found(&self) {
        let found = self.found.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar
            .set_message(format!("{found} or more (still searching)"));
    }

    /// There are no others.
    pub fn all_found(&self) {
        self.bar.set_length(self.found.load(Ordering::Relaxed));
        set_style(
            &self.bar,
            "{bar:30} {pos}/{len} photos, {per_sec}, {eta} left",
        );
    }

    /// One more photo is done.
    pub fn done(&self) {
        self.bar.inc(1);
    }

    /// Say `text` between the states that are shown.
    pub fn tell(&self, text: String) {
        self.bar.suspend(|| console::note(text));
    }

    /// Show it no more.
    pub fn hide(&self) {
        self.bar.finish_and_clear();
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_said_when_it_is_known() {
        let progress = Progress::new();
        for _ in 0..3 {
            progress.found();
        }
        progress.done();
        assert_eq!(progress.bar.message(), "3 or more (still searching)");
        assert_eq!(progress.bar.length(), None);
        progress.all_found();
        assert_eq!(
            (progress.bar.position(), progress.bar.length()),
            (1, Some(3))
        );
    }
}
