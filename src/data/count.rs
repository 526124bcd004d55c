//! Landmarks whose scheme follows from their number.

use anyhow::Result;

use super::list::{Fault, Faults, Listed};
use super::{Converter, FaceLabel, Reason, Report};
use crate::config::OnError;
use crate::geometry::Scheme;

/// Bring the points of `photos` into the model's `scheme`: as many as it has are its own, otherwise they
/// are those of the built-in scheme that has as many. A photo with another number of points is left
/// out; points without a known relation to the model's leave the box. Gives how many faces that were.
///
/// # Errors
/// On another number of points, unless they are to be left out.
pub(super) fn convert(
    photos: &mut Vec<Listed>,
    scheme: &Scheme,
    on_error: OnError,
    report: &mut Report,
) -> Result<usize> {
    let mut box_only = 0;
    let mut good = Vec::with_capacity(photos.len());
    for mut photo in photos.drain(..) {
        let converted = photo.faces.iter_mut().try_for_each(|face| {
            let kept =
                convert_face(&mut face.label, scheme).map_err(|fault| (face.place, fault))?;
            box_only += usize::from(!kept);
            Ok(())
        });
        match converted {
            Ok(()) => good.push(photo),
            Err((place, fault)) => {
                Faults::new(&photo.list, on_error, report).found(place, fault)?;
            }
        }
    }
    *photos = good;
    Ok(box_only)
}

/// Whether the points could be kept.
fn convert_face(label: &mut FaceLabel, to: &Scheme) -> Result<bool, Fault> {
    let points = label.landmarks.len();
    if points == 0 {
        return Ok(true);
    }
    let from = match points == to.len() {
        true => Some(to.clone()),
        false => Scheme::built_in().into_iter().find(|s| s.len() == points),
    };
    let Some(from) = from else {
        let known = Scheme::built_in().map(|s| s.len().to_string()).join(", ");
        let text = format!(
            "{points} points; {} has {}, and files of {known} are known too",
            to.name(),
            to.len()
        );
        return Err(Fault::new(Reason::WrongCount, text));
    };
    let Some(converter) = Converter::between(&from, to) else {
        label.clear_landmarks();
        return Ok(false);
    };
    label.landmarks = (converter.apply(&label.landmarks))
        .map_err(|e| Fault::new(Reason::WrongCount, e.to_string()))?;
    Ok(true)
}
