//! One photo on stdin, its line on stdout.

use std::io::{Read, Write};

use anyhow::{Context, Result};

use crate::console;
use crate::imaging::{self, Limits};
use crate::infer::{DetectOptions, Predictor};
use crate::output::PhotoRecord;

/// Largest file that is read; a pipe may never end.
const MAX_BYTES: u64 = 1 << 30;

/// Find the faces of the photo on stdin and print its line. Gives whether that went well; a photo
/// that cannot be read is reported.
///
/// # Errors
/// When the device fails, or nobody takes the line.
pub fn run(predictor: &Predictor, options: &DetectOptions, limits: &Limits) -> Result<bool> {
    let photo = match read(limits) {
        Ok(photo) => photo,
        Err(error) => {
            console::note(format!("failed: {error:#}"));
            return Ok(false);
        }
    };
    let faces = predictor.detect(&photo, options)?;
    let record = PhotoRecord::new("-".into(), photo.dimensions().into(), &faces);
    let mut line = serde_json::to_vec(&record)?;
    line.push(b'\n');
    // Not a word about the work but the work itself: that it does not arrive is a failure.
    let mut out = std::io::stdout().lock();
    out.write_all(&line)
        .and_then(|()| out.flush())
        .context("cannot write to stdout")?;
    Ok(true)
}

fn read(limits: &Limits) -> Result<image::RgbImage> {
    let mut bytes = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .and_then(|_| Ok(()))
        .context("cannot read stdin")?;
    imaging::decode_rgb(&bytes, limits).context("cannot read the photo on stdin")
}
