//! RetinaFace `label.txt`: `# name`, then a line for each face.
//!
//! `x y w h  x y s  x y s  x y s  x y s  x y s  blur`: box, five points with a flag each (-1: none
//! labelled) and blur (Deng et al., "RetinaFace", CVPR 2020). Lines of `x y w h` alone are fine.
//! Coordinates are taken as they are, like those of WIDER FACE, whose boxes these are.

use std::collections::HashMap;

use anyhow::Result;

use super::list::{self, Fault, Faults, List, Listed, ListedFace};
use super::{FaceLabel, Reason};
use crate::geometry::BoxXyxy;

const BOX: usize = 4;
/// Points of the format.
const POINTS: usize = 5;
/// Numbers of a face line with points.
const NUMBERS: usize = BOX + 3 * POINTS + 1;

/// The photos of a list. After a fault the rest of that photo is left out.
pub(super) fn parse(text: &str, list: &List<'_>, faults: &mut Faults<'_>) -> Result<Vec<Listed>> {
    let mut photos: Vec<Listed> = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut open = Open::Nothing;
    for (line, content) in list::lines(text) {
        let outcome = match (content.strip_prefix('#').map(str::trim), open) {
            (Some(name), _) => start(name, line, &mut seen).map(|()| {
                photos.push(list.photo(name, line, Vec::new()));
            }),
            (None, Open::Skipped) => continue,
            (None, Open::Nothing) => Err(Fault::new(
                Reason::Malformed,
                "a face before the first `# name` line",
            )),
            (None, Open::Photo) => face(content).map(|label| {
                if let Some(photo) = photos.last_mut() {
                    photo.faces.push(ListedFace {
                        place: line.into(),
                        label,
                    });
                }
            }),
        };
        match outcome {
            Ok(()) => open = Open::Photo,
            Err(fault) => {
                faults.found(line, fault)?;
                // A face that is left out would count as background.
                if let (Open::Photo, false) = (open, content.starts_with('#')) {
                    photos.pop();
                }
                open = Open::Skipped;
            }
        }
    }
    Ok(photos)
}

/// What face lines belong to.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Photo,
    Skipped,
}

fn start<'a>(name: &'a str, line: usize, seen: &mut HashMap<&'a str, usize>) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(Fault::new(Reason::Malformed, "no image name after `#`"));
    }
    if let Some(first) = seen.insert(name, line) {
        let text = format!("{name} is named twice, first in line {first}");
        return Err(Fault::new(Reason::Duplicate, text));
    }
    Ok(())
}

fn face(line: &str) -> Result<FaceLabel, Fault> {
    let values = list::numbers(line)?;
    if values.len() != BOX && values.len() != NUMBERS {
        let text = format!(
            "{} numbers instead of {BOX} (x y w h) or {NUMBERS} (and five times x y flag, blur)",
            values.len()
        );
        return Err(Fault::new(Reason::WrongCount, text));
    }
    let mut face = FaceLabel::boxed(BoxXyxy::from_xywh(
        values[0], values[1], values[2], values[3],
    ));
    face.ignored = !face.box_xyxy.has_size();
    if values.len() == NUMBERS {
        let triples = values[BOX..NUMBERS - 1].chunks_exact(3);
        face.landmarks = triples
            .map(|p| ([p[0], p[1]], p[0] >= 0.0 && p[1] >= 0.0))
            .collect();
        if !face.has_landmarks() {
            face.clear_landmarks();
        }
    }
    Ok(face)
}
