//! The one place that words for people go through: results to stdout, everything about the work to
//! stderr. Nobody reading (a closed pipe, a terminal that is gone, a full disk behind `> log`) is
//! no reason for any work to end, so a line that cannot be written is dropped.

use std::fmt::Display;
use std::io::{self, Write};

/// A result, on stdout.
pub fn say(line: impl Display) {
    write_line(io::stdout().lock(), &line);
}

/// A word about the work, on stderr.
pub fn note(line: impl Display) {
    write_line(io::stderr().lock(), &line);
}

/// In one piece, so that lines of several threads or programs do not mix.
fn write_line(mut to: impl Write, line: &dyn Display) {
    let mut text = line.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_line_ends_once_and_a_dead_reader_is_ignored() {
        let mut text = Vec::new();
        write_line(&mut text, &"a");
        write_line(&mut text, &"b\n");
        assert_eq!(text, b"a\nb\n");
        write_line(Broken, &"c");
    }
}
