//! Decodes the files that are named on stdin, one a line, for `scripts/hostile_photos.py` and
//! `scripts/jpeg_kinds.py`, which compare the pixels with those of other programs.
//!
//! For each file: a line `WIDTH HEIGHT`, and 3 * WIDTH * HEIGHT bytes; or a line `error: REASON`.

use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;

use retinamark::imaging::{Limits, load_rgb};

fn main() -> std::io::Result<()> {
    let mut out = stdout().lock();
    for path in stdin().lock().lines() {
        match load_rgb(Path::new(&path?), &Limits::default()) {
            Ok(photo) => {
                writeln!(out, "{} {}", photo.width(), photo.height())?;
                out.write_all(&photo)?;
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                writeln!(out, "error: {}", format!("{error:#}").replace('\n', " "))?;
            }
        }
        out.flush()?;
    }
    Ok(())
}
