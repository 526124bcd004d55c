//! One source of a data set: its list, with faces from a WIDER list, in the model's scheme.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use rayon::prelude::*;

use super::files::{self, Format};
use super::head_poses::HeadPoses;
use super::list::{self, Fault, Faults, List, Listed, ListedFace};
use super::repeats::Repeats;
use super::wflw::Disagreement;
use super::{Converter, FaceLabel, Reason, Report, Sample, fit, merge};
use super::{coco, count, formats, retinaface, wflw, wider};
use crate::config::{OnError, SourceConfig, SourceKind};
use crate::geometry::Scheme;
use crate::{imaging, text};

/// A photo on its way into the data set.
pub(super) struct Entry {
    pub sample: Sample,
    /// File and line that name it.
    pub origin: String,
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

/// What a list holds.
struct Contents {
    photos: Vec<Listed>,
    /// How many of what (one of them) stand in the list, good or bad.
    entries: (usize, &'static str),
    /// The scheme of its landmarks, where it is not the model's already.
    scheme: Option<Scheme>,
}

/// A photo that is there.
struct Photo {
    name: String,
    path: PathBuf,
    /// File and line that name it.
    origin: String,
    /// `[width, height]`, pixels.
    size: [u32; 2],
    faces: Vec<FaceLabel>,
}

impl Reader<'_> {
    /// All photos that the list names, and what was left out of it.
    pub(super) fn read(&self) -> Result<(Vec<Entry>, Report)> {
        let mut report = Report::default();
        let contents = self.contents(&mut report)?;
        let mut photos = self.usable(contents.photos, &mut report)?;
        if photos.is_empty() {
            bail!(self.why_nothing(contents.entries, &report));
        }
        // Before the points change, since they help to tell the faces apart.
        let found = match &self.source.wider {
            Some(wider) => self.add_wider(&mut photos, wider, &mut report)?,
            None => HashSet::new(),
        };
        if let Some(own) = contents.scheme {
            self.convert(&mut photos, &own, &mut report)?;
        }
        let entry = |photo: Photo| Entry {
            origin: photo.origin,
            sample: Sample {
                complete: self
                    .names_all_faces()
                    .unwrap_or(found.contains(&photo.name)),
                path: photo.path,
                name: photo.name.into(),
                faces: photo.faces,
                source: self.index,
            },
        };
        Ok((photos.into_iter().map(entry).collect(), report))
    }

    /// Whether the list names every face of its photos; `None` where it leaves some out unless a
    /// WIDER list adds them.
    fn names_all_faces(&self) -> Option<bool> {
        self.source.complete.or(match self.source.kind {
            SourceKind::Wider | SourceKind::Retinaface | SourceKind::Yolo => Some(true),
            SourceKind::Pts
            | SourceKind::Mat
            | SourceKind::Lapa
            | SourceKind::Coco
            | SourceKind::Crops => Some(false),
            SourceKind::Wflw => None,
        })
    }

    fn contents(&self, report: &mut Report) -> Result<Contents> {
        let source = self.source;
        let list = List::new(&source.list, &source.images);
        let text = || text::read(&source.list);
        let faults = &mut Faults::new(&source.list, self.on_error, report);
        let (photos, lines, scheme) = match formats::Reader::of(source.kind) {
            formats::Reader::Files(format) => return self.files(format, report),
            formats::Reader::Wflw => {
                let (text, unsure) = (text()?, disagreement(source)?);
                let poses = HeadPoses::of(source)?;
                let photos = wflw::parse(&text, &list, unsure.as_ref(), poses.as_ref(), faults)?;
                let lines = list::lines(&text).count();
                (photos, Some(lines), Some(Scheme::wflw98()))
            }
            formats::Reader::Wider => (wider::parse(&text()?, &list, faults)?, None, None),
            formats::Reader::Retinaface => {
                let photos = retinaface::parse(&text()?, &list, faults)?;
                (photos, None, Some(Scheme::five()))
            }
            formats::Reader::Coco => {
                let mut photos = coco::parse(&text()?, &list, faults)?;
                self.convert_by_count(&mut photos, report)?;
                (photos, None, None)
            }
        };
        Ok(Contents {
            entries: match lines {
                Some(lines) => (lines, "line"),
                None => (photos.len() + report.total(), "photo"),
            },
            photos,
            scheme,
        })
    }

    fn files(&self, format: &'static Format, report: &mut Report) -> Result<Contents> {
        let reader = files::Reader {
            source: self.source,
            format,
            on_error: self.on_error,
        };
        let (mut photos, files) = reader.read(report)?;
        self.convert_by_count(&mut photos, report)?;
        Ok(Contents {
            photos,
            entries: (files, "file"),
            scheme: None,
        })
    }

    fn convert_by_count(&self, photos: &mut Vec<Listed>, report: &mut Report) -> Result<()> {
        let box_only = count::convert(photos, self.scheme, self.on_error, report)?;
        if box_only > 0 {
            Faults::new(&self.source.list, self.on_error, report).note(&format!(
                "{box_only} faces give their box only; their points have no known relation to {}",
                self.scheme.name()
            ));
        }
        Ok(())
    }

    /// The photos that are there and have a readable header, with the faces that fit into them,
    /// each of them once.
    fn usable(&self, listed: Vec<Listed>, report: &mut Report) -> Result<Vec<Photo>> {
        let all_faces = self.names_all_faces() == Some(true);
        let probe = |listed: Listed| {
            let size = probe(&listed.path);
            (listed, size)
        };
        let probed: Vec<_> = listed.into_par_iter().map(probe).collect();
        let mut photos = Vec::with_capacity(probed.len());
        let mut repeats = Repeats::default();
        for (mut listed, size) in probed {
            let list = listed.list.clone();
            let mut faults = Faults::new(&list, self.on_error, report);
            match size {
                Err(fault) => faults.found(listed.place, fault)?,
                Ok(size) => {
                    listed.scale_to(size);
                    if fit::check(&mut listed, size, all_faces, &mut faults)? {
                        repeats.leave_out(&mut listed.faces);
                        photos.push(Photo {
                            origin: format!("{}{}", list.display(), listed.place),
                            faces: labels(listed.faces),
                            name: listed.name,
                            path: listed.path,
                            size,
                        });
                    }
                }
            }
        }
        repeats.note(&mut Faults::new(&self.source.list, self.on_error, report));
        Ok(photos)
    }

    fn why_nothing(&self, (count, what): (usize, &str), report: &Report) -> String {
        let list = self.source.list.display();
        match report.first() {
            None => format!("{list} names no photo"),
            Some(first) if count == 1 => format!("the only {what} of {list} is bad: {first}"),
            Some(first) => format!("all {count} {what}s of {list} are bad, first: {first}"),
        }
    }

    /// Add the faces that a list leaves out; gives the names that the WIDER list has.
    fn add_wider(
        &self,
        photos: &mut [Photo],
        wider: &Path,
        report: &mut Report,
    ) -> Result<HashSet<String>> {
        let text = text::read(wider)?;
        let list = List::new(wider, &self.source.images);
        let faults = &mut Faults::new(wider, self.on_error, report);
        let parsed = wider::parse(&text, &list, faults)?.into_iter();
        let mut others: HashMap<String, Listed> = parsed.map(|p| (p.name.clone(), p)).collect();
        let mut found = HashSet::new();
        let mut repeats = Repeats::default();
        let (mut faces, mut matched, mut added) = (0, 0, 0);
        for photo in photos.iter_mut() {
            let Some(mut other) = others.remove(&photo.name) else {
                continue;
            };
            if !fit::check(&mut other, photo.size, true, faults)? {
                continue;
            }
            repeats.leave_out(&mut other.faces);
            faces += photo.faces.len();
            let merged = merge(&mut photo.faces, &labels(other.faces));
            matched += merged.matched;
            added += merged.added;
            found.insert(photo.name.clone());
        }
        repeats.note(faults);
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
    fn convert(&self, photos: &mut [Photo], from: &Scheme, report: &mut Report) -> Result<()> {
        let mut faces = photos.iter_mut().flat_map(|p| &mut p.faces);
        if let Some(converter) = Converter::between(from, self.scheme) {
            return faces.try_for_each(|face| {
                face.landmarks = converter.apply(&face.landmarks)?;
                Ok(())
            });
        }
        faces.for_each(FaceLabel::clear_landmarks);
        report.notes.push(format!(
            "{}: boxes only; {} points have no known relation to {}",
            self.source.list.display(),
            from.name(),
            self.scheme.name()
        ));
        Ok(())
    }
}

fn labels(faces: Vec<ListedFace>) -> Vec<FaceLabel> {
    faces.into_iter().map(|f| f.label).collect()
}

/// `[width, height]` of a photo, or why it cannot be used.
fn probe(path: &Path) -> Result<[u32; 2], Fault> {
    if !path.is_file() {
        let text = format!("photo {} is missing", path.display());
        return Err(Fault::new(Reason::MissingPhoto, text));
    }
    imaging::probe(path).map_err(|error| {
        // With what caused it.
        let error = anyhow::Error::from(error);
        Fault::new(Reason::BrokenPhoto, format!("{error:#}"))
    })
}

fn disagreement(source: &SourceConfig) -> Result<Option<Disagreement>> {
    let (max, half) = (source.max_disagreement, source.half_disagreement);
    let path = source.disagreement.as_ref();
    path.map(|path| Disagreement::read(path, max, half))
        .transpose()
}
