//! WIDER FACE `*_bbx_gt.txt`: name, number of faces, then a line for each face.
//!
//! `x y w h blur expression illumination invalid occlusion pose` (Yang et al., CVPR 2016). The
//! official lists write a line of zeros after a count of 0; without it is fine too.

use std::collections::HashMap;

use anyhow::Result;

use super::list::{self, Fault, Faults, Listed};
use super::{FaceLabel, Reason};
use crate::geometry::BoxXyxy;

/// Numbers of a face line.
const NUMBERS: usize = 10;
/// Which of them is the `invalid` flag.
const INVALID: usize = 7;
/// Endings that tell a photo's name from a line of numbers.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "webp", "gif", "tif", "tiff"];

/// The photos of a list. After a fault the rest of that photo is left out.
pub(super) fn parse(text: &str, faults: &mut Faults<'_>) -> Result<Vec<Listed>> {
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
                photos.push(Listed {
                    name: name.to_owned(),
                    line,
                    faces,
                });
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
fn photo(lines: &[(usize, &str)]) -> Result<(Vec<FaceLabel>, usize), (usize, Fault)> {
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
                faces.push(face(content).map_err(|fault| (line, fault))?);
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
    if values.len() != NUMBERS {
        let text = format!(
            "{} numbers instead of {NUMBERS} (x y w h blur expression illumination invalid \
             occlusion pose)",
            values.len()
        );
        return Err(Fault::new(Reason::WrongCount, text));
    }
    let mut face = FaceLabel::boxed(BoxXyxy::from_xywh(
        values[0], values[1], values[2], values[3],
    ));
    face.ignored = values[INVALID] != 0.0 || !face.box_xyxy.has_size();
    Ok(face)
}

fn is_name(line: &str) -> bool {
    let ending = line.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
}

fn is_zeros(&(_, line): &(usize, &str)) -> bool {
    list::numbers(line).is_ok_and(|v| v.len() == NUMBERS && v.iter().all(|&x| x == 0.0))
}
