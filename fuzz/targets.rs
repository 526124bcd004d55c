//! What is fuzzed: everything that reads bytes which other people made. A target may return an
//! error in any way it likes, but not panic, hang or fill the memory.
//!
//! The same functions run on the seeds in `fuzz/seeds` as ordinary tests.

use std::path::Path;
use std::sync::LazyLock;

use burn::tensor::Device;
use retinamark::anchors::{Anchors, Coder};
use retinamark::config::{AnchorConfig, Config, SourceKind};
use retinamark::data::parse_list;
use retinamark::geometry::Letterbox;
use retinamark::imaging::{self, Limits};
use retinamark::model::{Network, RetinaFace, weights};
use retinamark::optim::Layout;
use retinamark::postprocess;
use retinamark::train::checkpoint::Checkpoint;

/// A list of WFLW's format.
pub fn wflw(bytes: &[u8]) {
    list(SourceKind::Wflw, bytes);
}

/// A list of WIDER FACE's format.
pub fn wider(bytes: &[u8]) {
    list(SourceKind::Wider, bytes);
}

/// A `label.txt` of RetinaFace's format.
pub fn retinaface(bytes: &[u8]) {
    list(SourceKind::Retinaface, bytes);
}

/// The points of a face, in 300-W's format.
pub fn pts(bytes: &[u8]) {
    list(SourceKind::Pts, bytes);
}

/// The points of a face, in a MATLAB file.
pub fn mat(bytes: &[u8]) {
    list(SourceKind::Mat, bytes);
}

/// A file of LaPa's points.
pub fn lapa(bytes: &[u8]) {
    list(SourceKind::Lapa, bytes);
}

/// A COCO list.
pub fn coco(bytes: &[u8]) {
    list(SourceKind::Coco, bytes);
}

/// The faces of a photo, as YOLO labels.
pub fn yolo(bytes: &[u8]) {
    list(SourceKind::Yolo, bytes);
}

/// The points of a crop.
pub fn crops(bytes: &[u8]) {
    list(SourceKind::Crops, bytes);
}

fn list(kind: SourceKind, bytes: &[u8]) {
    let name = Path::new("fuzzed.txt");
    let Ok((photos, _)) = parse_list(kind, name, bytes, [640, 480]) else {
        return;
    };
    for face in photos.iter().flatten() {
        let corners: [f32; 4] = face.box_xyxy.into();
        let mut points = face.landmarks.labelled().flatten();
        assert!(corners.iter().all(|v| v.is_finite()), "{face:?}");
        assert!(points.all(|v| v.is_finite()), "{face:?}");
    }
}

/// Settings.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(config) = Config::from_yaml(text) {
        let again = config.to_yaml().and_then(|text| Config::from_yaml(&text));
        assert_eq!(
            again.ok(),
            Some(config),
            "what is written is not what was read"
        );
    }
}

/// A weights file.
pub fn weights(bytes: &[u8]) {
    let _ = weights::Networks::parse(bytes);
}

/// A checkpoint of a small network.
pub fn checkpoint(bytes: &[u8]) {
    static LAYOUT: LazyLock<Option<Layout>> = LazyLock::new(|| {
        let mut config = Config::default();
        config.model.neck_channels = 8;
        config.model.se_reduction = 2;
        let model = RetinaFace::new(&config, &Device::flex()).ok()?;
        Some(Layout::of(&model))
    });
    if let Some(layout) = &*LAYOUT {
        let _ = Checkpoint::parse(bytes, layout);
    }
}

/// A photo of any format.
pub fn photo(bytes: &[u8]) {
    // Larger ones only take longer.
    let limits = Limits {
        max_pixels: 4_000_000,
    };
    let size = imaging::probe_bytes(bytes);
    if let Ok(photo) = imaging::decode_rgb(bytes, &limits) {
        assert_eq!(size.ok(), Some(photo.dimensions().into()));
    }
}

/// Whatever a network may say of an image of 64 pixels: a lowest score, then a score and four box
/// deltas for each anchor.
pub fn postprocess(bytes: &[u8]) {
    static ANCHORS: LazyLock<Anchors> =
        LazyLock::new(|| Anchors::generate(&AnchorConfig::default(), [64, 64]));
    let numbers = bytes.chunks_exact(4);
    let mut numbers = numbers
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .cycle();
    let mut next = || numbers.next().unwrap_or(0.0);
    let options = postprocess::Options {
        score: next(),
        top_k: 50,
        nms_iou: 0.4,
        max_faces: 10,
        votes: 3,
    };
    let scores: Vec<f32> = (0..ANCHORS.len()).map(|_| next()).collect();
    let deltas: Vec<[f32; 4]> = scores
        .iter()
        .map(|_| std::array::from_fn(|_| next()))
        .collect();
    let coder = Coder::of_deltas([0.1, 0.2]);
    let letterbox = Letterbox::square(64, 40, 64);
    let kept = postprocess::keep(&scores, &deltas, &ANCHORS, coder, &letterbox, &options);
    assert!(kept.len() <= options.max_faces);
    for face in &kept {
        assert!(face[0].score >= options.score && face[0].box_xyxy.has_size());
        assert!(face.len() <= options.votes);
    }
    for pair in kept.windows(2) {
        assert!(pair[0][0].score >= pair[1][0].score);
    }
}
