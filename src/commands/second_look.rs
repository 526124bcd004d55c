//! What the command line says about the second look.

use anyhow::{Result, ensure};

use crate::infer::Predictor;

/// Changes to how a predictor looks again at faces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SecondLook {
    /// Not at all.
    pub(super) one_pass: bool,
    /// This often.
    pub(super) passes: Option<u8>,
    /// At mirrored crops too.
    pub(super) flip: bool,
}

impl SecondLook {
    /// `predictor`, looking again as these say.
    ///
    /// # Errors
    /// When there is no aligner to look more closely.
    pub(super) fn apply(self, mut predictor: Predictor) -> Result<Predictor> {
        if self.one_pass {
            ensure!(
                predictor.finds_faces(),
                "--one-pass: these weights hold an aligner only, which is the second look"
            );
            return Ok(predictor.one_pass());
        }
        match predictor.align_options_mut() {
            Some(options) => {
                options.passes = self.passes.map_or(options.passes, usize::from);
                options.flip |= self.flip;
            }
            None => ensure!(
                self.passes.is_none() && !self.flip,
                "--passes and --flip need an aligner, which these weights do not hold"
            ),
        }
        Ok(predictor)
    }
}
