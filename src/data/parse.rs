//! Lists in memory, without their photos.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::list::{Faults, List, Listed, ListedFace};
use super::{FaceLabel, Report, fit, pts, retinaface, wflw, wider};
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
    bytes: Vec<u8>,
    size: [u32; 2],
) -> Result<(Vec<Vec<FaceLabel>>, Report)> {
    let text = text::decode(bytes).map_err(|e| anyhow!("{}:{}: {e}", name.display(), e.line))?;
    let list = List::new(name, Path::new(""));
    let mut report = Report::default();
    let mut faults = Faults::new(name, OnError::Skip, &mut report);
    let photos = match kind {
        SourceKind::Wflw => wflw::parse(&text, &list, None, &mut faults)?,
        SourceKind::Wider => wider::parse(&text, &list, &mut faults)?,
        SourceKind::Retinaface => retinaface::parse(&text, &list, &mut faults)?,
        SourceKind::Pts => match pts::parse(&text) {
            Ok(label) => vec![list.photo("", 1, vec![ListedFace { line: 1, label }])],
            Err((line, fault)) => {
                faults.found(line, fault)?;
                Vec::new()
            }
        },
    };
    let mut good = Vec::with_capacity(photos.len());
    for mut photo in photos {
        if fit::check(&mut photo, size, false, &mut faults)? {
            good.push(faces(photo));
        }
    }
    Ok((good, report))
}

fn faces(photo: Listed) -> Vec<FaceLabel> {
    photo.faces.into_iter().map(|face| face.label).collect()
}
