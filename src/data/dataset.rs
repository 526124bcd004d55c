//! Several lists of labelled photos as one data set.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use image::RgbImage;

use super::head_poses::{self, Origins};
use super::photos::PhotoCache;
use super::source::{self, Entry};
use super::{Before, FaceLabel, Group, Reason, Report, Sample, epoch_order};
use crate::config::{Config, OnError, PoseOrigin, SourceConfig};
use crate::geometry::{BoxXyxy, Scheme};
use crate::imaging;
use crate::task::{self, View};

/// Faces of hardly any trust are drawn this often, as a power of a half.
const MOST_HALVINGS: f32 = 6.0;

/// Photos with their labelled faces, in the model's landmark scheme.
#[derive(Debug)]
pub struct Dataset {
    /// The photos, source by source.
    pub samples: Vec<Sample>,
    /// What was found and left out while loading.
    pub report: Report,
    groups: Vec<Group>,
    origins: Vec<String>,
    /// The photo of each sample; samples of one photo share its pixels.
    photos: Vec<usize>,
    on_error: OnError,
    limits: imaging::Limits,
    cache: PhotoCache,
    broken: Mutex<Broken>,
    before: Option<Arc<Before>>,
}

/// Photos that turned out broken when they were decoded.
#[derive(Debug, Default)]
struct Broken {
    seen: HashSet<usize>,
    report: Report,
}

impl Dataset {
    /// Read all sources. A photo that several sources name stays with the first one.
    ///
    /// # Errors
    /// On a list or photo that is missing, malformed or broken, with file and line (unless
    /// `data.on_error` is `skip`: counted in the report), and on sources that hold no photo.
    pub fn load(sources: &[SourceConfig], config: &Config) -> Result<Self> {
        Self::read(sources, config, true)
    }

    /// Read the sources of `data.train`. A photo that several of them name stays with the first one
    /// where whole photos are learned, since the others do not know its other faces; where one face
    /// is learned at a time, they may add faces of the same photo.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_training(config: &Config) -> Result<Self> {
        let whole = task::of(config.task).view(config) == View::Photos;
        Self::read(&config.data.train, config, whole)
    }

    fn read(sources: &[SourceConfig], config: &Config, each_once: bool) -> Result<Self> {
        ensure!(
            !sources.is_empty(),
            "no data source is configured; list some under data.train and data.validation"
        );
        let scheme = config.landmarks.scheme()?;
        let mut set = Self::empty(config);
        let mut known: HashMap<PathBuf, usize> = HashMap::new();
        for (index, source) in sources.iter().enumerate() {
            let reader = source::Reader {
                index,
                source,
                scheme: &scheme,
                on_error: set.on_error,
            };
            let (mut entries, found) = reader.read()?;
            set.report.absorb(found);
            if each_once {
                set.drop_known(index, source, &mut entries, &mut known);
            }
            ensure!(
                !entries.is_empty(),
                "{} gives no photo that another source does not give already",
                source.list.display()
            );
            set.settle_poses(source, &mut entries, &scheme, config);
            let start = set.samples.len();
            for entry in entries {
                set.origins.push(entry.origin);
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
        set.photos = (0..set.samples.len()).collect();
        Ok(set)
    }

    /// The same as the task of `config` sees it while training: photos, or one face at a time.
    ///
    /// # Errors
    /// As [`Self::by_face`] and [`Before::of`].
    pub fn for_training(self, config: &Config) -> Result<Self> {
        match task::of(config.task).view(config) {
            View::Photos => Ok(self),
            View::Faces { .. } => {
                let before = Before::of(config)?.map(Arc::new);
                let faces = self.by_face(&config.landmarks.scheme()?, config.data.turned_weight)?;
                Ok(Self { before, ..faces })
            }
        }
    }

    /// The aligners that look at its faces before the one that is trained, if there are some.
    pub const fn before(&self) -> Option<&Arc<Before>> {
        self.before.as_ref()
    }

    /// A data set of samples made elsewhere, all of one weight.
    pub fn from_samples(samples: Vec<Sample>, config: &Config) -> Self {
        let mut set = Self::empty(config);
        set.origins = samples.iter().map(|s| s.name.to_string()).collect();
        set.groups = vec![Group {
            members: 0..samples.len(),
            weight: 1.0,
        }];
        set.photos = (0..samples.len()).collect();
        set.samples = samples;
        set
    }

    /// The same with a sample of its own for every face that has landmarks, whose box becomes the
    /// bounds of those. Turned faces (see [`Scheme::is_turned`]) are drawn `turned_weight` times
    /// as often as others, and faces of little trust seldom, rather than often for little.
    ///
    /// # Errors
    /// When no face has landmarks.
    pub fn by_face(self, scheme: &Scheme, turned_weight: f32) -> Result<Self> {
        let mut set = Self {
            samples: Vec::new(),
            groups: Vec::new(),
            origins: Vec::new(),
            photos: Vec::new(),
            ..self
        };
        for group in &self.groups {
            for (turned, factor) in [(false, 1.0), (true, turned_weight)] {
                let alone = group.members.clone().flat_map(|index| {
                    let faces = single_faces(&self.samples[index], scheme, turned);
                    faces.map(move |(level, sample)| (level, index, sample))
                });
                let mut alone: Vec<(u8, usize, Sample)> = alone.collect();
                alone.sort_by_key(|(level, ..)| *level);
                for level in alone.chunk_by(|a, b| a.0 == b.0) {
                    let start = set.samples.len();
                    let halvings = i32::from(level.first().map_or(0, |(level, ..)| *level));
                    for (_, index, sample) in level {
                        set.samples.push(sample.clone());
                        set.origins.push(self.origins[*index].clone());
                        set.photos.push(self.photos[*index]);
                    }
                    set.groups.push(Group {
                        members: start..set.samples.len(),
                        weight: group.weight * factor * 0.5f32.powi(halvings),
                    });
                }
            }
        }
        ensure!(
            set.groups
                .iter()
                .any(|g| g.weight > 0.0 && !g.members.is_empty()),
            "no face of the training data has landmarks"
        );
        Ok(set)
    }

    fn empty(config: &Config) -> Self {
        Self {
            samples: Vec::new(),
            report: Report::default(),
            groups: Vec::new(),
            origins: Vec::new(),
            photos: Vec::new(),
            on_error: config.data.on_error,
            limits: imaging::Limits::default(),
            cache: PhotoCache::new(config.data.cache_mib),
            broken: Mutex::default(),
            before: None,
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
        self.cache.get(self.photos[index], || self.decode(index))
    }

    /// The same, without keeping it in memory.
    ///
    /// # Errors
    /// As [`Self::photo`].
    pub fn decode(&self, index: usize) -> Result<RgbImage> {
        imaging::load_rgb(&self.samples[index].path, &self.limits)
            .with_context(|| self.origins[index].clone())
    }

    /// Count a photo that turned out broken, once.
    ///
    /// # Errors
    /// `error` itself, unless `data.on_error` is `skip`.
    pub fn leave_out(&self, index: usize, error: anyhow::Error) -> Result<()> {
        if self.on_error == OnError::Fail {
            return Err(error);
        }
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.seen.insert(self.photos[index]) {
            let message = format!("{error:#}");
            broken.report.skip(Reason::BrokenPhoto, message);
        }
        Ok(())
    }

    /// What was left out since loading, while photos were decoded, and how often aligners before the
    /// one that is trained lost a face.
    pub fn left_out(&self) -> Report {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = broken.report.clone();
        let lost = self.before.as_ref().and_then(|before| before.note());
        report.notes.extend(lost);
        report
    }

    /// Settle how heads are turned, and tell where that comes from if somebody wants to know.
    fn settle_poses(
        &mut self,
        source: &SourceConfig,
        entries: &mut [Entry],
        scheme: &Scheme,
        config: &Config,
    ) {
        let faces = entries.iter_mut().flat_map(|e| &mut e.sample.faces);
        let origin = config.data.pose;
        let Origins {
            labels,
            points,
            none,
        } = head_poses::settle(faces, scheme, origin);
        if config.aligner.pose || origin != PoseOrigin::Labels {
            self.report.notes.push(format!(
                "{}: head poses of {labels} faces from labels, of {points} from points; {none} faces \
                 with points have none",
                source.list.display()
            ));
        }
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

/// The faces of a photo that have landmarks and are `turned` or not, each alone, and how many times
/// it is to be drawn half as often; what is left of its trust is between 0.7 and 1.4.
fn single_faces<'a>(
    sample: &'a Sample,
    scheme: &'a Scheme,
    turned: bool,
) -> impl Iterator<Item = (u8, Sample)> + 'a {
    sample.faces.iter().filter_map(move |face| {
        let bounds = face.landmarks.bounds().filter(BoxXyxy::has_size)?;
        let is_turned = scheme.is_turned(&face.landmarks);
        let halvings = (-face.trust.log2()).round().clamp(0.0, MOST_HALVINGS);
        let alone = || Sample {
            faces: vec![FaceLabel {
                box_xyxy: bounds,
                trust: face.trust * halvings.exp2(),
                ..face.clone()
            }],
            ..sample.clone()
        };
        (!face.ignored && is_turned == turned).then(|| (halvings as u8, alone()))
    })
}
