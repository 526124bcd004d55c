//! Reading the lines of a record.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::output::PhotoRecord;

/// Every line of a record, with its end if it has one. A last line that is cut off is left out.
///
/// # Errors
/// What `take` fails with, or when the file cannot be read or holds other lines than ours.
pub(super) fn each_line(
    path: &Path,
    mut take: impl FnMut(&[u8], PhotoRecord) -> Result<()>,
) -> Result<()> {
    let mut read = || -> Result<()> {
        let mut file = BufReader::new(File::open(path)?);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if file.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            match serde_json::from_slice(&bytes) {
                Ok(photo) => take(&bytes, photo)?,
                Err(_) if !bytes.ends_with(b"\n") => break,
                Err(error) => bail!(
                    "line {number} is not one of ours ({error}); mend it, or start over with --force"
                ),
            }
        }
        Ok(())
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}
