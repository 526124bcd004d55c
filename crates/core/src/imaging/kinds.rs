//! Which files are photos by their names: the one list of endings for folders, lists and `.pts`.

use std::ffi::OsStr;
use std::path::Path;

/// Endings of the photos that can be read.
pub const PHOTO_ENDINGS: [&str; 12] = [
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "bmp", "dib", "webp", "gif", "tif", "tiff",
];

/// Endings of photos that cannot be read.
const OTHER_ENDINGS: [&str; 26] = [
    "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jpx", "psd", "dng", "cr2", "cr3", "crw",
    "nef", "nrw", "arw", "sr2", "srf", "orf", "rw2", "raf", "pef", "srw", "x3f", "3fr", "raw",
];

/// Whether a file's name ends as those of photos that can be read, in small or capital letters.
pub fn is_photo_name(name: &OsStr) -> bool {
    ending(name).is_some_and(|e| PHOTO_ENDINGS.contains(&e.as_str()))
}

/// The ending, in small letters, of a photo of a kind that cannot be read (HEIC, AVIF, JPEG XL,
/// a camera's raw data ...).
pub fn unreadable_ending(name: &OsStr) -> Option<String> {
    ending(name).filter(|e| OTHER_ENDINGS.contains(&e.as_str()))
}

/// What the first bytes of a file say it is, if that is a picture of a kind that cannot be read.
pub fn unreadable_kind(head: &[u8]) -> Option<&'static str> {
    let brand = match head {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => brand.get(..4)?,
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => return Some("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => return Some("JPEG 2000"),
        [b'8', b'B', b'P', b'S', ..] => return Some("Photoshop"),
        _ => return None,
    };
    match brand {
        b"avif" | b"avis" => Some("AVIF"),
        b"crx " => Some("Canon raw"),
        [b'h', b'e', ..] | b"mif1" | b"msf1" => Some("HEIC"),
        _ => None,
    }
}

/// Whether macOS wrote the file beside another one (`._a.jpg`), to keep what a foreign disk cannot.
pub fn is_sidecar(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"._")
}

fn ending(name: &OsStr) -> Option<String> {
    let ending = Path::new(name).extension()?.to_str()?;
    Some(ending.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_their_endings() {
        for name in ["a.jpg", "b.JFIF", "c.Jpe", "d.MPO", "e.x.TIF"] {
            assert!(is_photo_name(name.as_ref()), "{name}");
        }
        for name in ["a.heic", "jpg", ".jpg", "a.jpg.txt", ""] {
            assert!(!is_photo_name(name.as_ref()), "{name}");
        }
        assert_eq!(
            unreadable_ending("IMG_1.HEIC".as_ref()).as_deref(),
            Some("heic")
        );
        assert_eq!(unreadable_ending("a.jpg".as_ref()), None);
        assert_eq!(unreadable_kind(b"\0\0\0\x18ftypheic\0\0"), Some("HEIC"));
        assert_eq!(unreadable_kind(b"\0\0\0\x18ftypavif\0\0"), Some("AVIF"));
        assert_eq!(unreadable_kind(b"\0\0\0\x18ftypisom\0\0"), None);
        assert_eq!(unreadable_kind(b"\0\0\0\x18ftyp"), None);
        assert!(is_sidecar("._a.jpg".as_ref()) && !is_sidecar("_a.jpg".as_ref()));
    }
}
