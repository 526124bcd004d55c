//! Parts of a network that do not learn.

use anyhow::{Result, ensure};
use burn::module::Module;

/// Whether all `wanted` are among the `known` parts of a network.
///
/// # Errors
/// Names the first one that is not, and the known ones.
pub(super) fn check_parts(wanted: &[&str], known: &[&str]) -> Result<()> {
    for part in wanted {
        ensure!(
            known.contains(part),
            "optimizer.freeze: the network has no part {part:?}; its parts are {}",
            known.join(", ")
        );
    }
    Ok(())
}

/// A frozen part has no gradients, and its batch norms use and keep their running statistics.
pub(super) fn freeze_if<M: Module>(frozen: bool, part: M) -> M {
    if frozen {
        part.freeze()
    } else {
        part.unfreeze()
    }
}
