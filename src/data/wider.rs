//! WIDER FACE `*_bbx_gt.txt`: name, number of faces, then a line for each face.
//!
//! `x y w h blur expression illumination invalid occlusion pose` (Yang et al., CVPR 2016). The
//! official lists write a line of zeros after a count of 0; without it is fine too, and so are
//! lines of `x y w h` alone. `x` and `y` are whole pixels, that is, edges: they are taken as they are.

use std::collections::HashMap;

use anyhow::Result;

use super::list::{self, Fault, Faults, List, Listed, ListedFace};
use super::{FaceLabel, Reason};
use crate::geometry::BoxXyxy;
use crate::imaging;

/// Numbers of a face line that is a box only.
const BOX: usize = 4;
/// Numbers of a face line.
const NUMBERS: usize = 10;
/// Which of them is the `invalid` flag.
const INVALID: usize = 7;

/// The photos of a list. After a fault the rest of that photo is left out.
pub(super) fn parse(text: &str, list: &List<'_>, faults: &mut Faults<'_>) -> Result<Vec<Listed>> {
    let lines: Vec<_> = list::lines(text).collect();
    let mut photos: Vec<Listed> = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut at = 0;
    while at < lines.len() {
        let (line, name) = lines[at];
        let parsed = match photo(&lines[at..]) {
            Ok(_) if seen.contains_key(name) => {
                let text = format!("{name} is named twice, first in line {}", seen[name]);
                Err((line, Fault::new(Reason::Duplicate, text)))
            }
            other => other,
        };
        match parsed {
            Ok((faces, used)) => {
                seen.insert(name, line);
                photos.push(list.photo(name, line, faces));
                at += used;
            }
            Err((line, fault)) => {
                faults.found(line, fault)?;
                let names_photo = |&(_, content): &(usize, &str)| is_name(content);
                let skipped = lines[at + 1..].iter().position(names_photo);
                at = skipped.map_or(lines.len(), |s| at + 1 + s);
            }
        }
    }
    Ok(photos)
}

/// The faces of the photo that `lines` starts with, and how many lines it takes.
fn photo(lines: &[(usize, &str)]) -> Result<(Vec<ListedFace>, usize), (usize, Fault)> {
    let (line, name) = lines[0];
    if !is_name(name) {
        let text = format!(
            "`{name}` stands where a photo's name is expected; is the number of faces above too small?"
        );
        return Err((line, Fault::new(Reason::WrongCount, text)));
    }
    let count = match lines.get(1) {
        Some(&(line, content)) => content.parse::<usize>().map_err(|_| {
            let text =
                format!("`{content}` stands where the number of faces of {name} is expected");
            (line, Fault::new(Reason::Malformed, text))
        })?,
        None => {
            let text = format!("the list ends before the number of faces of {name}");
            return Err((line, Fault::new(Reason::WrongCount, text)));
        }
    };
    if count == 0 {
        return Ok((
            Vec::new(),
            2 + usize::from(lines.get(2).is_some_and(is_zeros)),
        ));
    }
    let mut faces = Vec::new();
    for i in 0..count {
        match lines.get(2 + i) {
            Some(&(line, content)) if !is_name(content) => {
                let label = face(content).map_err(|fault| (line, fault))?;
                faces.push(ListedFace {
                    place: line.into(),
                    label,
                });
            }
            _ => {
                let text = format!("{name} is said to have {count} faces, but {i} follow");
                return Err((lines[1].0, Fault::new(Reason::WrongCount, text)));
            }
        }
    }
    Ok((faces, 2 + count))
}

fn face(line: &str) -> Result<FaceLabel, Fault> {
    let values = list::numbers(line)?;
    if ![BOX, NUMBERS].contains(&values.len()) {
        let text = format!(
            "{} numbers instead of {NUMBERS} (x y w h blur expression illumination invalid \
             occlusion pose) or {BOX} (x y w h)",
            values.len()
        );
        return Err(Fault::new(Reason::WrongCount, text));
    }
    let mut face = FaceLabel::boxed(BoxXyxy::from_xywh(
        values[0], values[1], values[2], values[3],
    ));
    let invalid = values.get(INVALID).is_some_and(|&v| v != 0.0);
    face.ignored = invalid || !face.box_xyxy.has_size();
    Ok(face)
}

/// Whether a line is a photo's name, also one that cannot be read, and not one of numbers.
fn is_name(line: &str) -> bool {
    let name = line.as_ref();
    imaging::is_photo_name(name) || imaging::unreadable_ending(name).is_some()
}

fn is_zeros(&(_, line): &(usize, &str)) -> bool {
    list::numbers(line)
        .is_ok_and(|v| [BOX, NUMBERS].contains(&v.len()) && v.iter().all(|&x| x == 0.0))
}
