//! Names of photos as text.

use std::path::{Component, Path};

/// Marks an escaped byte; itself escaped where a name holds it, so that no two names meet.
const MARK: char = char::REPLACEMENT_CHARACTER;

/// A relative path as text with `/` between its parts. Bytes that are no UTF-8 become U+FFFD and
/// two hexadecimal digits each; a U+FFFD in a name itself is escaped the same way. So different
/// paths give different texts, and the text can be turned back.
pub fn portable_name(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(escape(name.as_encoded_bytes())),
            _ => None,
        })
        .collect();
    parts.join("/")
}

fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == MARK {
                let mut buffer = [0; 4];
                escape_bytes(&mut text, c.encode_utf8(&mut buffer).as_bytes());
            } else {
                text.push(c);
            }
        }
        escape_bytes(&mut text, chunk.invalid());
    }
    text
}

fn escape_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push(MARK);
        text.push_str(&format!("{byte:02X}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        assert_eq!(portable_name(Path::new("a b/ü\n.jpg")), "a b/ü\n.jpg");
    }

    #[cfg(unix)]
    #[test]
    fn other_bytes_are_escaped_and_never_collide() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let text = |b: &[u8]| portable_name(Path::new(OsStr::from_bytes(b)));
        assert_eq!(text(b"a\xff.jpg"), "a\u{fffd}FF.jpg");
        assert_ne!(text(b"a\xff.jpg"), text(b"a\xfe.jpg"));
        assert_ne!(text(b"a\xff.jpg"), text("a\u{fffd}FF.jpg".as_bytes()));
    }
}
