//! Lists in memory, without their photos.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::formats::Reader;
use super::list::{Faults, List, Listed, Place};
use super::{FaceLabel, Report, coco, fit, retinaface, wflw, wider};
use crate::config::{OnError, SourceKind};
use crate::text;

/// The faces that a list names, photo by photo, landmarks in the list's own scheme, and what is left
/// out of it. All photos are taken to be of `size` = `[width, height]` pixels. `name` stands for the
/// list in messages.
///
/// # Errors
/// When it is no text.
pub fn parse_list(
    kind: SourceKind,
    name: &Path,
    bytes: &[u8],
    size: [u32; 2],
) -> Result<(Vec<Vec<FaceLabel>>, Report)> {
    let list = List::new(name, Path::new(""));
    let text =
        || text::decode(bytes.to_vec()).map_err(|e| anyhow!("{}:{}: {e}", name.display(), e.line));
    let mut report = Report::default();
    let mut faults = Faults::new(name, OnError::Skip, &mut report);
    let photos = match Reader::of(kind) {
        Reader::Wflw => wflw::parse(&text()?, &list, None, None, &mut faults)?,
        Reader::Wider => wider::parse(&text()?, &list, &mut faults)?,
        Reader::Retinaface => retinaface::parse(&text()?, &list, &mut faults)?,
        Reader::Coco => coco::parse(&text()?, &list, &mut faults)?,
        Reader::Files(format) => match (format.parse)(name, bytes) {
            Ok(faces) => vec![Listed {
                units: format.units,
                ..list.photo("", Place::Whole, faces)
            }],
            Err((place, fault)) => {
                faults.found(place, fault)?;
                Vec::new()
            }
        },
    };
    let mut good = Vec::with_capacity(photos.len());
    for mut photo in photos {
        photo.scale_to(size);
        if fit::check(&mut photo, size, false, &mut faults)? {
            good.push(faces(photo));
        }
    }
    Ok((good, report))
}

fn faces(photo: Listed) -> Vec<FaceLabel> {
    photo.faces.into_iter().map(|face| face.label).collect()
}
