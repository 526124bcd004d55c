//! One source of a data set: its list, with faces from a WIDER list, in the model's scheme.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::list::{self, Fault, Faults, Listed};
use super::wflw::Disagreement;
use super::{Converter, FaceLabel, Reason, Report, Sample, merge, pts};
use super::{retinaface, wflw, wider};
use crate::config::{OnError, SourceConfig, SourceKind};
use crate::geometry::Scheme;

/// A photo on its way into the data set.
pub(super) struct Entry {
    pub sample: Sample,
    /// File and line that name it.
    pub list: PathBuf,
    pub line: usize,
}

/// Reads one source.
pub(super) struct Reader<'a> {
    /// Place of the source in the configuration.
    pub index: usize,
    pub source: &'a SourceConfig,
    /// The model's landmarks.
    pub scheme: &'a Scheme,
    pub on_error: OnError,
}

impl Reader<'_> {
    /// All photos that the list names.
    pub(super) fn read(&self, report: &mut Report) -> Result<Vec<Entry>> {
        let source = self.source;
        let text = || list::read(&source.list);
        let faults = &mut Faults::new(&source.list, self.on_error, report);
        let (mut photos, complete, own) = match source.kind {
            SourceKind::Pts => return self.read_pts(report),
            SourceKind::Wflw => {
                let photos = wflw::parse(&text()?, disagreement(source)?.as_ref(), faults)?;
                (photos, false, Some(Scheme::wflw98()))
            }
            SourceKind::Wider => (wider::parse(&text()?, faults)?, true, None),
            SourceKind::Retinaface => {
                let photos = retinaface::parse(&text()?, faults)?;
                (photos, true, Some(Scheme::five()))
            }
        };
        // Before the points change, since they help to tell the faces apart.
        let found = match &source.wider {
            Some(wider) => self.add_wider(&mut photos, wider, report)?,
            None => HashSet::new(),
        };
        if let Some(own) = own {
            self.convert(&mut photos, &own, report);
        }
        let entry = |photo: Listed| Entry {
            sample: Sample {
                path: source.images.join(&photo.name),
                complete: source
                    .complete
                    .unwrap_or(complete || found.contains(&photo.name)),
                name: photo.name.into(),
                faces: photo.faces,
                source: self.index,
            },
            list: source.list.clone(),
            line: photo.line,
        };
        Ok(photos.into_iter().map(entry).collect())
    }

    /// Add the faces that a list leaves out; gives the names that the WIDER list has.
    fn add_wider(
        &self,
        photos: &mut [Listed],
        wider: &Path,
        report: &mut Report,
    ) -> Result<HashSet<String>> {
        let text = list::read(wider)?;
        let faults = &mut Faults::new(wider, self.on_error, report);
        let parsed = wider::parse(&text, faults)?.into_iter();
        let others: HashMap<String, Listed> = parsed.map(|p| (p.name.clone(), p)).collect();
        let mut found = HashSet::new();
        let (mut faces, mut matched, mut added) = (0, 0, 0);
        for photo in photos.iter_mut() {
            if let Some(other) = others.get(&photo.name) {
                faces += photo.faces.len();
                let merged = merge(&mut photo.faces, &other.faces);
                matched += merged.matched;
                added += merged.added;
                found.insert(photo.name.clone());
            }
        }
        report.notes.push(format!(
            "{}: {} of {} photos stand in {}: {matched} of their {faces} faces matched, {added} \
             added",
            self.source.list.display(),
            found.len(),
            photos.len(),
            wider.display()
        ));
        Ok(found)
    }

    /// Bring all landmarks into the model's scheme.
    fn convert(&self, photos: &mut [Listed], from: &Scheme, report: &mut Report) {
        let faces = photos.iter_mut().flat_map(|p| &mut p.faces);
        if let Some(converter) = Converter::between(from, self.scheme) {
            return faces.for_each(|f| converter.apply(f));
        }
        faces.for_each(FaceLabel::clear_landmarks);
        report.notes.push(format!(
            "{}: boxes only; {} points have no known relation to {}",
            self.source.list.display(),
            from.name(),
            self.scheme.name()
        ));
    }

    fn read_pts(&self, report: &mut Report) -> Result<Vec<Entry>> {
        let (source, to) = (self.source, self.scheme);
        let mut entries = Vec::new();
        let mut box_only = 0;
        for file in pts::files(&source.list)? {
            let text = list::read(&file)?;
            let mut faults = Faults::new(&file, self.on_error, report);
            let known =
                pts::parse(&text).and_then(|f| Ok((pts_converter(f.landmarks.len(), to)?, f)));
            let (converter, mut face) = match known {
                Ok(known) => known,
                Err((line, fault)) => {
                    faults.found(line, fault)?;
                    continue;
                }
            };
            let Some(photo) = pts::photo_of(&file) else {
                let text = "no photo of the same name beside it (jpg, png, ...)";
                faults.found(1, Fault::new(Reason::MissingPhoto, text))?;
                continue;
            };
            match converter {
                Some(converter) => converter.apply(&mut face),
                None => {
                    face.clear_landmarks();
                    box_only += 1;
                }
            }
            let name = photo.strip_prefix(&source.list).unwrap_or(&photo);
            entries.push(Entry {
                sample: Sample {
                    name: name.to_string_lossy().into(),
                    path: photo,
                    faces: vec![face],
                    complete: source.complete.unwrap_or(false),
                    source: self.index,
                },
                list: file,
                line: 1,
            });
        }
        if box_only > 0 {
            let list = source.list.display();
            let note = format!(
                "{list}: {box_only} faces give their box only; their points have no known relation to {}",
                to.name()
            );
            report.notes.push(note);
        }
        Ok(entries)
    }
}

fn disagreement(source: &SourceConfig) -> Result<Option<Disagreement>> {
    match (&source.disagreement, source.max_disagreement) {
        (Some(path), Some(max)) => Disagreement::read(path, max).map(Some),
        _ => Ok(None),
    }
}

/// How `points` points of a `.pts` file serve the scheme: 68 are 300-W, otherwise they must be the
/// scheme's own.
fn pts_converter(points: usize, to: &Scheme) -> Result<Option<Converter>, (usize, Fault)> {
    if points == to.len() {
        return Ok(Converter::between(to, to));
    }
    let ibug = Scheme::ibug68();
    if points == ibug.len() {
        return Ok(Converter::between(&ibug, to));
    }
    let text = format!(
        "{points} points; 300-W files have {}, and {} has {}",
        ibug.len(),
        to.name(),
        to.len()
    );
    Err((2, Fault::new(Reason::WrongCount, text)))
}
