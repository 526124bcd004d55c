//! Text files that people write with any editor.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

/// Why a file is no text, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText {
    /// Line, from 1.
    pub line: usize,
    reason: &'static str,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl std::error::Error for NotText {}

const NOT_UTF8: &str = "not UTF-8 text";
const UTF16: &str = "UTF-16 text; save it as UTF-8 (Notepad and PowerShell ask for the encoding)";
const BINARY: &str = "not text (it has NUL bytes: binary, or UTF-16 text to be saved as UTF-8)";

/// The text of a file.
///
/// # Errors
/// Names the file when it cannot be read, and the line when it is not UTF-8 text.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    decode(bytes).map_err(|e| anyhow::anyhow!("{}:{}: {e}", path.display(), e.line))
}

/// Bytes as text, without the byte order mark that Windows' editors put in front.
///
/// # Errors
/// When they are not UTF-8 text.
pub fn decode(bytes: Vec<u8>) -> Result<String, NotText> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let (line, reason) = (1, UTF16);
        return Err(NotText { line, reason });
    }
    let fault = |good: &[u8], reason| {
        let line = 1 + good.iter().filter(|&&b| b == b'\n').count();
        NotText { line, reason }
    };
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        return Err(fault(&bytes[..at], BINARY));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        fault(&e.as_bytes()[..good], NOT_UTF8)
    })?;
    Ok(without_mark(&text).to_owned())
}

/// The text behind its byte order mark, if it has one.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_no_text_and_other_encodings_are_named() {
        let of = |bytes: &[u8]| decode(bytes.to_vec()).map_err(|e| (e.line, e.to_string()));
        assert_eq!(of(b"\xef\xbb\xbfa\r\n"), Ok("a\r\n".into()));
        assert_eq!(of(b""), Ok(String::new()));
        for bytes in [&b"\xff\xfea\0\n\0"[..], b"\xfe\xff\0a"] {
            let (line, reason) = of(bytes).unwrap_err();
            assert!(line == 1 && reason.contains("UTF-16"), "{reason}");
        }
        let (line, reason) = of(b"a\nb\n\xe9t\xe9\n").unwrap_err();
        assert!(line == 3 && reason.contains("UTF-8"), "{reason}");
        let (line, reason) = of(b"a\n\0b").unwrap_err();
        assert!(line == 2 && reason.contains("UTF-16"), "{reason}");
    }
}
