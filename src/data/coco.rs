//! COCO keypoints: one JSON file (Lin et al., "Microsoft COCO", ECCV 2014;
//! <https://cocodataset.org/#format-data>).
//!
//! Of `images` the keys `id` and `file_name` are read, of `annotations` `image_id`, `bbox` = x, y, width, height,
//! `keypoints` = x, y, v for each point, and `iscrowd`; others are passed over, and categories not told
//! apart. `v` is 0 where a point is not labelled. Without `bbox` the bounds of the points stand in for it.
//! Boxes count edges. Keypoints that are whole numbers throughout a face are indices of pixels, as in COCO
//! itself, and mean their centres (detectron2's `data/datasets/coco.py` reads them so); with a fraction
//! they are places.

use std::collections::HashMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::list::{Fault, Faults, List, Listed, ListedFace, Place};
use super::{FaceLabel, Reason};
use crate::geometry::{BoxXyxy, Landmarks};

const IMAGES: &str = "images";
const ANNOTATIONS: &str = "annotations";

#[derive(Deserialize)]
struct Document {
    images: Vec<Value>,
    annotations: Vec<Value>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
}

#[derive(Deserialize)]
struct Annotation {
    bbox: Option<[f32; 4]>,
    #[serde(default)]
    keypoints: Vec<f32>,
    #[serde(default)]
    iscrowd: u8,
}

/// The photos of a list. A photo with a bad face is left out.
pub(super) fn parse(text: &str, list: &List<'_>, faults: &mut Faults<'_>) -> Result<Vec<Listed>> {
    let document: Document = serde_json::from_str(text)
        .with_context(|| format!("{} is no COCO list in JSON", list.path.display()))?;
    let mut photos: Vec<Listed> = Vec::with_capacity(document.images.len());
    let mut index = HashMap::new();
    for (i, value) in document.images.into_iter().enumerate() {
        let place = Place::Item(IMAGES, i);
        let image = match image(value, &index) {
            Ok(image) => image,
            Err(fault) => {
                faults.found(place, fault)?;
                continue;
            }
        };
        index.insert(image.id, photos.len());
        photos.push(list.photo(&image.file_name, place, Vec::new()));
    }
    let mut bad = vec![false; photos.len()];
    for (i, value) in document.annotations.into_iter().enumerate() {
        let place = Place::Item(ANNOTATIONS, i);
        let at = value.get("image_id").and_then(Value::as_u64);
        let at = at.and_then(|id| index.get(&id)).copied();
        match (face(value), at) {
            (Ok(label), Some(at)) => photos[at].faces.push(ListedFace { place, label }),
            (Ok(_), None) => {
                let text = "its image_id is that of no image of the list";
                faults.found(place, Fault::new(Reason::MissingPhoto, text))?;
            }
            (Err(fault), at) => {
                faults.found(place, fault)?;
                if let Some(at) = at {
                    bad[at] = true;
                }
            }
        }
    }
    let mut bad = bad.into_iter();
    photos.retain(|_| !bad.next().unwrap_or(false));
    Ok(photos)
}

fn image(value: Value, known: &HashMap<u64, usize>) -> Result<Image, Fault> {
    let image: Image = serde_json::from_value(value).map_err(malformed)?;
    if known.contains_key(&image.id) {
        let text = format!("the id {} stands twice", image.id);
        return Err(Fault::new(Reason::Duplicate, text));
    }
    Ok(image)
}

fn face(value: Value) -> Result<FaceLabel, Fault> {
    let annotation: Annotation = serde_json::from_value(value).map_err(malformed)?;
    let landmarks = landmarks(&annotation.keypoints)?;
    let bounds = landmarks.bounds();
    let box_xyxy = match annotation.bbox {
        Some([x, y, w, h]) => BoxXyxy::from_xywh(x, y, w, h),
        None => bounds.ok_or_else(|| malformed("has neither `bbox` nor labelled `keypoints`"))?,
    };
    if !<[f32; 4]>::from(box_xyxy).iter().all(|v| v.is_finite()) {
        return Err(Fault::new(Reason::NotFinite, "`bbox` is not finite"));
    }
    Ok(FaceLabel {
        landmarks: if bounds.is_some() {
            landmarks
        } else {
            Landmarks::none()
        },
        ignored: annotation.iscrowd != 0 || !box_xyxy.has_size(),
        ..FaceLabel::boxed(box_xyxy)
    })
}

fn landmarks(values: &[f32]) -> Result<Landmarks, Fault> {
    if !values.len().is_multiple_of(3) {
        let text = format!(
            "{} numbers in `keypoints`, not three for each point",
            values.len()
        );
        return Err(Fault::new(Reason::WrongCount, text));
    }
    if !values.iter().all(|v| v.is_finite()) {
        return Err(Fault::new(
            Reason::NotFinite,
            "`keypoints` are not all finite",
        ));
    }
    let points = || values.chunks_exact(3);
    let are_indices = points().all(|p| p[0].fract() == 0.0 && p[1].fract() == 0.0);
    let centre = if are_indices { 0.5 } else { 0.0 };
    Ok(points()
        .map(|p| ([p[0] + centre, p[1] + centre], p[2] > 0.0))
        .collect())
}

fn malformed(text: impl ToString) -> Fault {
    Fault::new(Reason::Malformed, text.to_string())
}
