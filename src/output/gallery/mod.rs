//! `gallery.html`: all photos of a call with their faces, in one file.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use serde::Serialize;

use super::PhotoRecord;
use crate::geometry::Letterbox;
use crate::imaging;

/// The page without its photos.
const PAGE: &str = include_str!("page.html");

/// Longer side of a thumbnail, pixels.
const THUMBNAIL: u32 = 168;

/// Photos of one script: browsers read one after another, and show what there is.
const AT_ONCE: usize = 200;

/// A photo as the page knows it.
#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    photo: PhotoRecord,
    /// Where the photo is, as seen from the page.
    link: Option<String>,
    /// A JPEG in base64.
    thumb: Option<String>,
}

/// Where a gallery finds what belongs to a photo, by its name in the results.
pub trait Sources {
    /// The path of the photo as seen from the gallery's folder, its parts divided by `/`.
    fn link(&self, image: &str) -> Option<String>;

    /// The file of its [`thumbnail`].
    fn thumbnail(&self, image: &str) -> std::path::PathBuf;
}

/// A small copy of a photo, for the gallery.
///
/// # Errors
/// When the photo has no pixels.
pub fn thumbnail(photo: &RgbImage) -> Result<RgbImage> {
    let (width, height) = photo.dimensions();
    let longer = THUMBNAIL.min(width.max(height));
    Ok(imaging::resize(
        photo,
        Letterbox::square(width, height, longer).content,
    )?)
}

/// Write the page of `photos`. A thumbnail that is not there is left out.
///
/// # Errors
/// When writing or one of the records fails.
pub fn write_gallery(
    mut out: impl Write,
    sources: &dyn Sources,
    photos: impl Iterator<Item = Result<PhotoRecord>>,
) -> Result<()> {
    out.write_all(PAGE.as_bytes())?;
    let mut entries = Vec::new();
    for photo in photos {
        entries.push(entry(photo?, sources));
        if entries.len() == AT_ONCE {
            script(&mut out, &entries)?;
            entries.clear();
        }
    }
    script(&mut out, &entries)?;
    Ok(out.write_all(b"<script>start()</script>\n")?)
}

fn entry(photo: PhotoRecord, sources: &dyn Sources) -> Entry {
    let thumb = std::fs::read(sources.thumbnail(&photo.image)).ok();
    Entry {
        link: sources.link(&photo.image),
        thumb: thumb.map(|bytes| STANDARD.encode(bytes)),
        photo,
    }
}

/// Names may hold anything, the end of a script too.
fn script(out: &mut impl Write, entries: &[Entry]) -> Result<()> {
    let json = serde_json::to_string(entries)?.replace('<', "\\u003c");
    Ok(writeln!(out, "<script>add({json})</script>")?)
}

/// `path` as seen from `folder`, its parts divided by `/`; absolute where the two have nothing in
/// common.
pub fn link(folder: &Path, path: &Path) -> Option<String> {
    let [folder, path] = [folder, path].map(std::path::absolute);
    let (folder, path) = (folder.ok()?, path.ok()?);
    let link = pathdiff::diff_paths(&path, &folder).unwrap_or(path);
    Some(link.to_str()?.replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Fixed(PathBuf);

    impl Sources for Fixed {
        fn link(&self, image: &str) -> Option<String> {
            Some(format!("../{image}"))
        }

        fn thumbnail(&self, image: &str) -> PathBuf {
            self.0.join(image)
        }
    }

    #[test]
    fn photos_stand_in_scripts_that_their_names_do_not_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.jpg"), b"abc").unwrap();
        let photo = |image: &str| PhotoRecord::new(image.into(), [4, 3], &[]);
        let photos = (0..AT_ONCE)
            .map(|_| photo("a.jpg"))
            .chain([photo("</script>")]);
        let mut page = Vec::new();
        write_gallery(&mut page, &Fixed(folder.path().into()), photos.map(Ok)).unwrap();
        let page = String::from_utf8(page).unwrap();
        let added = page.strip_prefix(PAGE).unwrap();
        assert_eq!(added.matches("<script>add([").count(), 2);
        assert_eq!(added.matches("</script>").count(), 3);
        assert!(
            added.contains(r#""link":"../a.jpg","thumb":"YWJj""#),
            "{added}"
        );
        assert!(added.contains(r#""image":"\u003c/script>""#) && added.contains(r#""thumb":null"#));
    }

    #[test]
    fn links_lead_from_the_gallery_to_the_photo() {
        let link = |folder, path| link(Path::new(folder), Path::new(path)).unwrap();
        assert_eq!(link("/a/out", "/a/photos/x y.jpg"), "../photos/x y.jpg");
        assert_eq!(link("out", "in/b.jpg"), "../in/b.jpg");
    }

    #[test]
    fn thumbnails_are_never_larger_than_the_photo() {
        let size = |w, h| thumbnail(&RgbImage::new(w, h)).unwrap().dimensions();
        assert_eq!(size(336, 100), (168, 50));
        assert_eq!(size(20, 10), (20, 10));
        assert!(thumbnail(&RgbImage::new(0, 3)).is_err());
    }
}
