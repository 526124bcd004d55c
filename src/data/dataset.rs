//! Several lists of labelled photos as one data set.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use rayon::prelude::*;

use super::list::{self, Fault, Faults, Listed};
use super::photos::PhotoCache;
use super::wflw::Disagreement;
use super::{Converter, Group, Reason, Report, Sample, epoch_order, merge, pts};
use super::{retinaface, wflw, wider};
use crate::config::{Config, OnError, SourceConfig, SourceKind};
use crate::geometry::Scheme;
use crate::imaging;

/// Photos with their labelled faces, in the model's landmark scheme.
#[derive(Debug)]
pub struct Dataset {
    /// The photos, source by source.
    pub samples: Vec<Sample>,
    /// What was found and left out while loading.
    pub report: Report,
    groups: Vec<Group>,
    origins: Vec<String>,
    on_error: OnError,
    limits: imaging::Limits,
    cache: PhotoCache,
    broken: Mutex<Broken>,
}

/// Photos that turned out broken when they were decoded.
#[derive(Debug, Default)]
struct Broken {
    seen: HashSet<usize>,
    report: Report,
}

/// A photo on its way into the data set.
struct Entry {
    sample: Sample,
    /// File and line that name it.
    list: PathBuf,
    line: usize,
}

impl Dataset {
    /// Read all sources. A photo that several sources name stays with the first one.
    ///
    /// # Errors
    /// On a list or photo that is missing, malformed or broken, with file and line (unless
    /// `data.on_error` is `skip`: counted in the report), and on sources that hold no photo.
    pub fn load(sources: &[SourceConfig], config: &Config) -> Result<Self> {
        ensure!(
            !sources.is_empty(),
            "no data source is configured; list some under data.train and data.validation"
        );
        let scheme = config.landmarks.scheme()?;
        let mut set = Self::empty(config);
        let mut known: HashMap<PathBuf, usize> = HashMap::new();
        for (index, source) in sources.iter().enumerate() {
            source
                .check()
                .with_context(|| format!("data source {index} ({})", source.list.display()))?;
            let mut entries = set.read(index, source, &scheme)?;
            set.drop_unreadable(&mut entries)?;
            set.drop_known(index, source, &mut entries, &mut known);
            ensure!(
                !entries.is_empty(),
                "{} gives no photo that another source does not give already",
                source.list.display()
            );
            let start = set.samples.len();
            for entry in entries {
                set.origins
                    .push(format!("{}:{}", entry.list.display(), entry.line));
                set.samples.push(entry.sample);
            }
            set.groups.push(Group {
                members: start..set.samples.len(),
                weight: source.weight,
            });
        }
        ensure!(
            set.groups.iter().any(|g| g.weight > 0.0),
            "all data sources have weight 0; give at least one a positive weight"
        );
        Ok(set)
    }

    /// A data set of samples made elsewhere, all of one weight.
    pub fn from_samples(samples: Vec<Sample>, config: &Config) -> Self {
        let mut set = Self::empty(config);
        set.origins = samples.iter().map(|s| s.name.to_string()).collect();
        set.groups = vec![Group {
            members: 0..samples.len(),
            weight: 1.0,
        }];
        set.samples = samples;
        set
    }

    fn empty(config: &Config) -> Self {
        Self {
            samples: Vec::new(),
            report: Report::default(),
            groups: Vec::new(),
            origins: Vec::new(),
            on_error: config.data.on_error,
            limits: imaging::Limits::default(),
            cache: PhotoCache::new(config.data.cache_mib),
            broken: Mutex::default(),
        }
    }

    /// Indices of the photos of an epoch (see [`epoch_order`]).
    pub fn epoch(&self, config: &Config, epoch: usize) -> Vec<usize> {
        let samples = config.train.samples_per_epoch;
        epoch_order(&self.groups, config.seed, epoch, samples)
    }

    /// Indices of the photos of each source.
    pub fn sources(&self) -> impl Iterator<Item = Range<usize>> {
        self.groups.iter().map(|g| g.members.clone())
    }

    /// The decoded photo of sample `index`, kept in memory while `data.cache_mib` allows.
    ///
    /// # Errors
    /// When it cannot be decoded; names photo, list and line.
    pub fn photo(&self, index: usize) -> Result<Arc<RgbImage>> {
        let path = &self.samples[index].path;
        self.cache
            .get(index, || imaging::load_rgb(path, &self.limits))
            .with_context(|| format!("{}: photo {}", self.origins[index], path.display()))
    }

    /// Count a photo that turned out broken, once.
    ///
    /// # Errors
    /// `error` itself, unless `data.on_error` is `skip`.
    pub(super) fn leave_out(&self, index: usize, error: anyhow::Error) -> Result<()> {
        if self.on_error == OnError::Fail {
            return Err(error);
        }
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.seen.insert(index) {
            let message = format!("{error:#}");
            broken.report.skip(Reason::BrokenPhoto, message);
        }
        Ok(())
    }

    /// What was left out since loading, while photos were decoded.
    pub fn left_out(&self) -> Report {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.report.clone()
    }

    /// One source, its landmarks in `scheme`.
    fn read(&mut self, index: usize, source: &SourceConfig, scheme: &Scheme) -> Result<Vec<Entry>> {
        if source.kind == SourceKind::Pts {
            return self.read_pts(index, source, scheme);
        }
        let text = list::read(&source.list)?;
        let faults = &mut Faults::new(&source.list, self.on_error, &mut self.report);
        let (mut photos, complete, own) = match source.kind {
            SourceKind::Wflw => {
                let photos = wflw::parse(&text, disagreement(source)?.as_ref(), faults)?;
                (photos, false, Some(Scheme::wflw98()))
            }
            SourceKind::Wider => (wider::parse(&text, faults)?, true, None),
            SourceKind::Retinaface | SourceKind::Pts => {
                let photos = retinaface::parse(&text, faults)?;
                (photos, true, Some(Scheme::five()))
            }
        };
        if let Some(own) = own {
            convert(&mut photos, &own, scheme, faults);
        }
        let mut found = HashSet::new();
        if let Some(wider) = &source.wider {
            found = self.add_wider(&mut photos, wider, &source.list)?;
        }
        let entry = |photo: Listed| Entry {
            sample: Sample {
                path: source.images.join(&photo.name),
                complete: source
                    .complete
                    .unwrap_or(complete || found.contains(&photo.name)),
                name: photo.name.into(),
                faces: photo.faces,
                source: index,
            },
            list: source.list.clone(),
            line: photo.line,
        };
        Ok(photos.into_iter().map(entry).collect())
    }

    /// Add the faces that a list leaves out; gives the names that the WIDER list has.
    fn add_wider(
        &mut self,
        photos: &mut [Listed],
        wider: &Path,
        list: &Path,
    ) -> Result<HashSet<String>> {
        let text = list::read(wider)?;
        let faults = &mut Faults::new(wider, self.on_error, &mut self.report);
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
        self.report.notes.push(format!(
            "{}: {} of {} photos stand in {}: {matched} of their {faces} faces matched, {added} \
             added",
            list.display(),
            found.len(),
            photos.len(),
            wider.display()
        ));
        Ok(found)
    }

    fn read_pts(&mut self, index: usize, source: &SourceConfig, to: &Scheme) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut box_only = 0;
        for file in pts::files(&source.list)? {
            let text = list::read(&file)?;
            let mut faults = Faults::new(&file, self.on_error, &mut self.report);
            let known = pts::parse(&text).and_then(|f| Ok((pts_converter(f.landmarks.len(), to)?, f)));
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
                    source: index,
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
            self.report.notes.push(note);
        }
        Ok(entries)
    }

    /// Leave out photos that are missing or have no readable header.
    fn drop_unreadable(&mut self, entries: &mut Vec<Entry>) -> Result<()> {
        let probe = |e: &Entry| -> Option<Fault> {
            let path = &e.sample.path;
            if !path.is_file() {
                let text = format!("photo {} is missing", path.display());
                return Some(Fault::new(Reason::MissingPhoto, text));
            }
            let error = imaging::probe(path).err()?;
            let text = format!("photo {}: {error:#}", path.display());
            Some(Fault::new(Reason::BrokenPhoto, text))
        };
        let faults: Vec<_> = entries.par_iter().map(probe).collect();
        let mut good = Vec::with_capacity(entries.len());
        for (entry, fault) in entries.drain(..).zip(faults) {
            match fault {
                Some(fault) => Faults::new(&entry.list, self.on_error, &mut self.report)
                    .found(entry.line, fault)?,
                None => good.push(entry),
            }
        }
        *entries = good;
        Ok(())
    }

    /// Leave out photos that an earlier source gives.
    fn drop_known(
        &mut self,
        index: usize,
        source: &SourceConfig,
        entries: &mut Vec<Entry>,
        known: &mut HashMap<PathBuf, usize>,
    ) {
        let before = entries.len();
        entries.retain(|e| {
            let path = e.sample.path.canonicalize();
            let path = path.unwrap_or_else(|_| e.sample.path.clone());
            *known.entry(path).or_insert(index) == index
        });
        if entries.len() < before {
            self.report.notes.push(format!(
                "{}: {} of {before} photos stay with an earlier source",
                source.list.display(),
                before - entries.len()
            ));
        }
    }
}

fn disagreement(source: &SourceConfig) -> Result<Option<Disagreement>> {
    match (&source.disagreement, source.max_disagreement) {
        (Some(path), Some(max)) => Disagreement::read(path, max).map(Some),
        _ => Ok(None),
    }
}

/// Bring all landmarks of a list into the model's scheme.
fn convert(photos: &mut [Listed], from: &Scheme, to: &Scheme, faults: &mut Faults<'_>) {
    let faces = photos.iter_mut().flat_map(|p| &mut p.faces);
    if let Some(converter) = Converter::between(from, to) {
        faces.for_each(|f| converter.apply(f));
    } else {
        faces.for_each(super::FaceLabel::clear_landmarks);
        faults.note(&format!(
            "boxes only; {} points have no known relation to {}",
            from.name(),
            to.name()
        ));
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
