//! What came of a call, in words.

use std::fmt::Write;

use super::passed::Passed;
use crate::console;
use crate::output::PhotoRecord;

/// A photo that is shrunk more than this for the network, and seems to show no face, may show small
/// ones.
const STRONG_SHRINK: f32 = 8.0;

/// Smallest face that the detector finds reliably, pixels of its input.
const SMALLEST_FACE: f32 = 16.0;

/// What came of a call.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Photos looked at.
    pub done: usize,
    /// Their faces.
    pub faces: usize,
    /// Photos and folders that could not be read, or whose results could not all be written.
    pub failed: usize,
    /// Those of `failed` that were tried as photos and have no line.
    pub unreadable: usize,
    /// Photos that an earlier call has done.
    pub skipped: usize,
    /// Photos that were done again because their files have changed since.
    pub changed: usize,
    /// Photos without a face that were shrunk a lot.
    shrunk: usize,
    /// The one of them that was shrunk most, and how much.
    most_shrunk: Option<(String, f32)>,
}

impl Tally {
    /// Count a photo that was looked at after shrinking it `shrink` times.
    pub fn add(&mut self, record: &PhotoRecord, shrink: f32) {
        self.done += 1;
        self.faces += record.faces.len();
        if !record.faces.is_empty() || shrink < STRONG_SHRINK {
            return;
        }
        self.shrunk += 1;
        if self.most_shrunk.as_ref().is_none_or(|most| shrink > most.1) {
            self.most_shrunk = Some((record.image.clone(), shrink));
        }
    }

    /// Say all of it, after `seconds` of work on `planned` photos, or more where not `all_found`.
    pub fn say(&self, planned: usize, all_found: bool, passed: &Passed, seconds: f64) {
        let looked_at = self.done + self.unreadable;
        let speed = looked_at as f64 / seconds.max(1e-9);
        let decimals = if speed < 10.0 { 2 } else { 1 };
        let mut text = format!(
            "{} photos, {} faces, {} failed, {} skipped, {speed:.decimals$} images/s",
            self.done, self.faces, self.failed, self.skipped,
        );
        // Writing to a string cannot fail.
        if self.changed > 0 {
            let _ = write!(
                text,
                "; {} done again, their files have changed",
                self.changed
            );
        }
        let left = planned.saturating_sub(looked_at);
        if left > 0 || !all_found {
            let more = if all_found { "" } else { " or more" };
            let _ = write!(text, "; stopped with {left}{more} left: --resume goes on");
        }
        if !passed.is_empty() {
            let _ = write!(text, "\n{passed}");
        }
        if let Some((name, shrink)) = &self.most_shrunk {
            let _ = write!(
                text,
                "\n{} photos without a face were made much smaller for the network, {name} {shrink:.0} \
                 times: faces below about {:.0} pixels of that one cannot be found so; a larger --size, \
                 or --size full, finds smaller ones",
                self.shrunk,
                SMALLEST_FACE * shrink
            );
        }
        console::say(text);
    }
}
