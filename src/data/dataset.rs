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
use super::{Before, Group, Reason, Report, Sample, epoch_order};
use crate::config::{Config, OnError, PoseOrigin, SourceConfig};
use crate::geometry::Scheme;
use crate::imaging;
use crate::task::{self, View};
use crate::teacher::Teacher;

/// Photos with their labelled faces, in the model's landmark scheme.
#[derive(Debug)]
pub struct Dataset {
    /// The photos, source by source.
    pub samples: Vec<Sample>,
    /// What was found and left out while loading.
    pub report: Report,
    pub(super) groups: Vec<Group>,
    pub(super) origins: Vec<String>,
    /// The photo of each sample; samples of one photo share its pixels.
    pub(super) photos: Vec<usize>,
    on_error: OnError,
    limits: imaging::Limits,
    cache: PhotoCache,
    broken: Mutex<Broken>,
    before: Option<Arc<Before>>,
    teacher: Option<Arc<Teacher>>,
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
            View::Photos => Ok(Self {
                teacher: Teacher::load(&config.distill)?.map(Arc::new),
                ..self
            }),
            View::Faces { .. } => {
                let before = Before::of(config)?.map(Arc::new);
                let faces = self.by_face(&config.landmarks.scheme()?, config.data.turned_weight)?;
                Ok(Self { before, ..faces })
            }
        }
    }

    /// The detector that has to look at its crops, if there is one.
    pub const fn teacher(&self) -> Option<&Arc<Teacher>> {
        self.teacher.as_ref()
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
            teacher: None,
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
