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
        assert!(is_sidecar("._a.jpg".as_ref()) && !is_sidecar("_a.jpg".as_ref()));
    }
}
