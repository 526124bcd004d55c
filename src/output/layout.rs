//! Where the files of a photo go.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

const DRAWN: &str = ".drawn";
const CROP: &str = ".crop";
const THUMBNAIL: &str = ".thumb";

/// Folder of thumbnails within that of the results.
const THUMBNAILS: &str = ".thumbs";

/// The files of one photo: its path below the output folder with its whole name kept, so that
/// `a.jpg` and `a.png` do not meet, plus an ending for each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    stem: PathBuf,
    thumbnail: PathBuf,
}

impl Layout {
    /// Of the photo that is called `relative` in the results.
    pub fn new(out: &Path, relative: &Path) -> Self {
        Self {
            stem: out.join(relative),
            thumbnail: out.join(THUMBNAILS).join(relative),
        }
    }

    /// The drawing, `a.jpg.drawn.jpg`; a PNG where a side is longer than JPEG allows.
    pub fn drawing(&self, [width, height]: [u32; 2]) -> PathBuf {
        let fits = width.max(height) <= u32::from(u16::MAX);
        self.with(&format!("{DRAWN}.{}", if fits { "jpg" } else { "png" }))
    }

    /// The landmarks of a face, `a.jpg.face0.pts`.
    pub fn pts(&self, face: usize) -> PathBuf {
        self.with(&format!(".face{face}.pts"))
    }

    /// The aligned crop of a face, `a.jpg.crop0.jpg`.
    pub fn crop(&self, face: usize) -> PathBuf {
        self.with(&format!("{CROP}{face}.jpg"))
    }

    /// The thumbnail, which the gallery is made of, `.thumbs/a.jpg.thumb.jpg`.
    pub fn thumbnail(&self) -> PathBuf {
        with(&self.thumbnail, &format!("{THUMBNAIL}.jpg"))
    }

    /// Every file that a call may have written for a photo of this size and number of faces.
    pub fn all(&self, size: [u32; 2], faces: usize) -> Vec<PathBuf> {
        let mut files = vec![self.drawing(size), self.thumbnail()];
        files.extend((0..faces).flat_map(|face| [self.pts(face), self.crop(face)]));
        files
    }

    fn with(&self, ending: &str) -> PathBuf {
        with(&self.stem, ending)
    }
}

fn with(stem: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(ending);
    PathBuf::from(name)
}

/// Whether a file bears the name of a drawing, crop or thumbnail that this program made of another picture,
/// `a.jpg.drawn.jpg` or `a.jpg.crop0.jpg`; reading a folder passes over these.
pub fn is_own_picture(path: &Path, is_picture: impl Fn(&OsStr) -> bool) -> bool {
    let own = |ending: &OsStr| {
        let text = ending.to_string_lossy();
        let digits = text.strip_prefix(&CROP[1..]);
        [DRAWN, THUMBNAIL].iter().any(|own| text == own[1..])
            || digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    };
    let Some(stem) = path.file_stem().map(Path::new) else {
        return false;
    };
    let of_picture = || stem.file_stem().is_some_and(is_picture);
    stem.extension().is_some_and(own) && of_picture()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_whole_name_of_the_photo() {
        let layout = Layout::new(Path::new("out"), Path::new("sub/a.jpg"));
        assert_eq!(layout.drawing([9, 9]), Path::new("out/sub/a.jpg.drawn.jpg"));
        assert_eq!(
            layout.drawing([70_000, 9]),
            Path::new("out/sub/a.jpg.drawn.png")
        );
        assert_eq!(layout.pts(3), Path::new("out/sub/a.jpg.face3.pts"));
        assert_eq!(layout.crop(0), Path::new("out/sub/a.jpg.crop0.jpg"));
    }

    #[test]
    fn own_pictures_are_known_by_their_names() {
        let own =
            |name: &str| is_own_picture(Path::new(name), |n| n.to_string_lossy().ends_with(".jpg"));
        assert!(own("x/a.jpg.drawn.jpg") && own("a.jpg.crop12.jpg"));
        assert!(!own("a.jpg") && !own("a.drawn.jpg") && !own("a.jpg.crop.jpg"));
        assert!(!own("a.jpg.cropx.jpg") && !own("drawn.jpg"));
    }
}
