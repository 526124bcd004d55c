//! Lists of labelled photos: what is read, what is refused, and the batches made of them.
//! Photos and lists are made on the spot; the real lists are tried where they are.

mod batches;
mod coco;
mod files;
mod lists;
mod mat;
mod pts;
mod sources;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use retinamark::config::{Config, OnError, SourceConfig, SourceKind};
use retinamark::data::{Dataset, refuse_overlap};
use tempfile::TempDir;

use crate::support::{shared, tempdir};

/// A folder with photos and lists.
pub(crate) struct Folder {
    pub(crate) dir: TempDir,
}

impl Folder {
    pub(crate) fn new(photos: &[&str]) -> Self {
        let folder = Self { dir: tempdir() };
        for (i, name) in photos.iter().enumerate() {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let shade = |x: u32, y: u32| Rgb([(x * 2) as u8, (y * 2) as u8, (i * 40) as u8]);
            let photo = RgbImage::from_fn(120, 100, shade);
            photo.save(path).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub(crate) fn source(&self, kind: SourceKind, text: &str) -> SourceConfig {
        let list = self.write(&format!("{kind:?}.txt"), text);
        source(kind, &list, self.dir.path())
    }
}

pub(crate) fn source(kind: SourceKind, list: &Path, images: &Path) -> SourceConfig {
    SourceConfig {
        kind,
        list: list.into(),
        images: images.into(),
        weight: 1.0,
        wider: None,
        disagreement: None,
        max_disagreement: None,
        half_disagreement: None,
        complete: None,
    }
}

/// Ninety-eight points spread over `b`, the rectangle, no attribute but blur.
pub(crate) fn wflw_line(b: [f32; 4], name: &str) -> String {
    let mut line = String::new();
    for i in 0..98 {
        let (x, y) = ((i % 10) as f32 / 9.0, (i / 10) as f32 / 9.0);
        let (x, y) = (b[0] + x * (b[2] - b[0]), b[1] + y * (b[3] - b[1]));
        write!(line, "{x} {y} ").unwrap();
    }
    format!(
        "{line}{} {} {} {} 0 0 0 0 0 1 {name}\n",
        b[0], b[1], b[2], b[3]
    )
}

pub(crate) fn load(source: &SourceConfig) -> anyhow::Result<Dataset> {
    Dataset::load(std::slice::from_ref(source), &Config::default())
}

pub(crate) fn load_skipping(source: &SourceConfig) -> anyhow::Result<Dataset> {
    let mut config = Config::default();
    config.data.on_error = OnError::Skip;
    Dataset::load(std::slice::from_ref(source), &config)
}

/// The real lists, where they are.
fn real_data() -> Option<PathBuf> {
    shared("data", "RETINAMARK_DATA")
}

#[test]
fn the_real_lists_load_and_share_no_photo() {
    let Some(folder) = real_data() else { return };
    let list = |name: &str| folder.join("annotations").join(name);
    let images = folder.join("images");
    let mut train = source(SourceKind::Wflw, &list("wflw98_train.txt"), &images);
    train.wider = Some(list("wider_train_bbx_gt.txt"));
    train.disagreement = Some(list("wflw98_train_disagreement.txt"));
    let mut val = source(SourceKind::Wflw, &list("wflw98_val.txt"), &images);
    val.wider = Some(list("wider_val_bbx_gt.txt"));
    let wider = source(SourceKind::Wider, &list("wider_train_bbx_gt.txt"), &images);

    let points = |set: &Dataset| {
        let faces = set.samples.iter().flat_map(|s| &s.faces);
        faces.filter(|f| f.has_landmarks()).count()
    };
    let train = Dataset::load(&[train, wider.clone()], &Config::default()).unwrap();
    let val = load(&val).unwrap();
    println!("{}{}", train.report, val.report);
    assert_eq!((points(&train), points(&val)), (4987, 281));
    assert_eq!(load(&wider).unwrap().samples.len(), 3249);
    // 2,008 photos of 300-W, which no WIDER list names, and the 3,249.
    assert_eq!(train.samples.len(), 3249 + 2008);
    assert_eq!(train.samples.iter().filter(|s| s.complete).count(), 3249);
    assert!(val.samples.iter().all(|s| s.complete));
    // Every face with points is found in the WIDER lists: none is counted twice, nor are the two
    // that the list names twice.
    let faces = |set: &Dataset| set.samples.iter().map(|s| s.faces.len()).sum::<usize>();
    assert_eq!(faces(&train), 37_835 - 2 + 2008);
    refuse_overlap(&train, &val).unwrap();
    // The 300-W common test set is for measuring only.
    let is_test = |name: &str| name.contains("helen_test") || name.contains("lfpw_test");
    assert!(train.samples.iter().all(|s| !is_test(&s.name)));
}
