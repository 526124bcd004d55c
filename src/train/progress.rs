//! What a person sees while training: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::figures::Figures;
use crate::console;

/// Time between lines when there is no terminal for a bar.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Progress through one epoch.
pub struct Progress {
    bar: ProgressBar,
    title: String,
    last_line: Instant,
}

impl Progress {
    /// Epoch `epoch` (from 1) of `epochs`, which stands at batch `done` of `total`.
    pub fn new(epoch: usize, epochs: usize, done: usize, total: usize) -> Self {
        let bar = ProgressBar::new(total as u64);
        // What matters most comes first: a narrow terminal cuts the message.
        let template = "{prefix} {bar:16} {pos}/{len}, {eta} to go, {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let title = format!("epoch {epoch}/{epochs}");
        bar.set_prefix(title.clone());
        bar.set_position(done as u64);
        bar.reset_eta();
        Self {
            bar,
            title,
            last_line: Instant::now(),
        }
    }

    /// Show where the epoch stands.
    pub fn update(&mut self, batch: usize, sums: &Figures) {
        let message = format!(
            "{}, {:.1} images/s, {:.1} % waiting",
            sums.describe(),
            sums.images_per_second(),
            100.0 * sums.waiting_share()
        );
        self.bar.set_position(batch as u64);
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_EVERY {
            let total = self.bar.length().unwrap_or(0);
            let eta = self.bar.eta().as_secs();
            console::note(format!(
                "{} {batch}/{total} {message}, {eta} s to go",
                self.title
            ));
            self.last_line = Instant::now();
        }
        self.bar.set_message(message);
    }

    /// Remove the bar and leave one line about the epoch.
    pub fn finish(self, sums: &Figures) {
        self.bar.finish_and_clear();
        console::note(format!(
            "{}: {}, {:.1} images/s, {:.1} % of the time spent waiting for data",
            self.title,
            sums.describe(),
            sums.images_per_second(),
            100.0 * sums.waiting_share()
        ));
    }
}
