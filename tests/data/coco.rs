//! COCO lists, good and bad.

use retinamark::config::{SchemeName, SourceKind};
use retinamark::data::Dataset;
use retinamark::geometry::BoxXyxy;

use super::files::with_scheme;
use super::{Folder, load_skipping};

#[test]
fn coco_lists_give_boxes_and_points() {
    let folder = Folder::new(&["a.png", "b.png"]);
    let text = r#"{"info": {}, "categories": [{"id": 1, "name": "face"}],
        "images": [{"id": 7, "file_name": "a.png", "width": 120}, {"id": 9, "file_name": "b.png"}],
        "annotations": [
        {"id": 1, "image_id": 7, "bbox": [10, 10, 40, 50], "iscrowd": 0,
         "keypoints": [20, 25, 2, 40, 25, 1, 0, 0, 0, 22, 45, 2, 38, 45, 2]},
        {"id": 2, "image_id": 9, "keypoints": [20.25, 25, 2, 40, 25, 2, 30, 35, 2, 22, 45, 2, 38, 45, 2]},
        {"id": 3, "image_id": 9, "bbox": [60, 60, 10, 10], "iscrowd": 1}]}"#;
    let list = folder.source(SourceKind::Coco, text);
    let config = with_scheme(SchemeName::Five);
    let set = Dataset::load(std::slice::from_ref(&list), &config).unwrap();
    let [a, b] = set.samples.as_slice() else {
        panic!("two photos")
    };
    assert!(!a.complete && !b.complete);
    assert_eq!(a.faces[0].box_xyxy, BoxXyxy::new(10.0, 10.0, 50.0, 60.0));
    // Whole numbers are indices of pixels.
    assert_eq!(a.faces[0].landmarks.labelled_at(0), Some([20.5, 25.5]));
    assert_eq!(a.faces[0].landmarks.labelled_at(2), None);
    assert_eq!(b.faces[0].landmarks.labelled_at(1), Some([40.0, 25.0]));
    assert_eq!(b.faces[0].box_xyxy, BoxXyxy::new(20.25, 25.0, 40.0, 45.0));
    assert!(b.faces[1].ignored && b.faces[1].landmarks.is_empty());

    let face = |rest: &str| format!(r#"{{"image_id": 1, "bbox": [10, 10, 40, 50]{rest}}}"#);
    let list_of = |images: &str, faces: &str| {
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.png"}}{images}], "annotations": [{faces}]}}"#
        )
    };
    for (text, words) in [
        (
            list_of("", &face("").replace(": 1", ": 3")),
            "annotations[0]: its image_id",
        ),
        (
            list_of("", &face(r#", "keypoints": [1, 2]"#)),
            "annotations[0]: 2 numbers",
        ),
        (
            list_of("", &face(r#", "keypoints": [1, 2, 2]"#)),
            "annotations[0]: 1 points",
        ),
        (
            list_of("", &face(r#", "keypoints": [1e99, 2, 2]"#)),
            "annotations[0]: `keypoints`",
        ),
        (
            list_of("", &face(r#", "keypoints": [null, 2, 2]"#)),
            "annotations[0]: invalid type",
        ),
        (
            list_of("", r#"{"image_id": 1}"#),
            "annotations[0]: has neither",
        ),
        (
            list_of(r#", {"id": 1, "file_name": "b.png"}"#, ""),
            "images[1]: the id 1 stands twice",
        ),
        (
            list_of(r#", {"id": 2}"#, ""),
            "images[1]: missing field `file_name`",
        ),
        (
            list_of(r#", {"id": 2, "file_name": "gone.png"}"#, ""),
            "images[1]: photo",
        ),
        (
            list_of("", &face(r#", "keypoints": [NaN, 2, 2]"#)),
            "is no COCO list in JSON",
        ),
        ("[]".into(), "is no COCO list in JSON"),
    ] {
        let list = folder.source(SourceKind::Coco, &text);
        let error = format!("{:#}", Dataset::load(&[list], &config).unwrap_err());
        assert!(error.contains(words), "no `{words}` in `{error}`");
    }
    // A photo whose faces are not all known is left out, the others stay.
    let bad = face("") + ", " + &face(r#", "keypoints": [1, 2]"#);
    let text = list_of(r#", {"id": 2, "file_name": "b.png"}"#, &bad);
    let set = load_skipping(&folder.source(SourceKind::Coco, &text)).unwrap();
    assert_eq!((set.samples.len(), &*set.samples[0].name), (1, "b.png"));
}
