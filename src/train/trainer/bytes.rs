//! When a run goes over to 8 bits.

use anyhow::{Result, ensure};

use super::{Length, Trainer};
use crate::config::Config;
use crate::console;
use crate::loss::Learn;
use crate::model::Range;

/// Whether the run comes to its 8 bits.
///
/// # Errors
/// When it ends before.
pub(super) fn check(config: &Config, length: Length) -> Result<()> {
    let (after, all) = (
        config.train.quantize_after,
        length.steps * config.train.epochs,
    );
    ensure!(
        after < all.max(1),
        "train.quantize_after: the run has {all} steps, and would end before it comes to 8 bits"
    );
    Ok(())
}

impl<N: Learn> Trainer<N> {
    /// Go over to 8 bits where the run has come to that: from the averaged weights, whose running
    /// statistics stay from here on. Another network begins, and with it another best epoch.
    pub(super) fn enter_bytes(&mut self) -> Result<()> {
        let (after, step) = (self.config.train.quantize_after, self.position.step);
        let is_due = after > 0 && step >= after && self.optimizer.pending() == 0;
        if !is_due || self.model.input_ranges().is_some() {
            return Ok(());
        }
        let names = N::program(&self.config.settings())?.byte_convs()?;
        let convs = names.len();
        let ranges = names.into_iter().map(|name| (name, Range::default()));
        self.optimizer.set_values(self.ema.values());
        let layout = self.optimizer.layout();
        self.model = layout
            .write(self.model.clone(), self.ema.values())
            .in_bytes(ranges.collect());
        self.best = None;
        console::note(format!(
            "after step {step} in 8 bits: {convs} convolutions, from the averaged weights; batch \
             norms keep their statistics, and the best epoch is found anew"
        ));
        Ok(())
    }
}
