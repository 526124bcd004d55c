//! One photo: load, look, write.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use super::budget::Budget;
use super::sources::Photo;
use crate::cli::{DetectArgs, Save};
use crate::fs::write_atomic_unsynced;
use crate::geometry::Face;
use crate::imaging;
use crate::infer::{Clock, DetectOptions, Predictor, Stage};
use crate::output::{self, Done, Layout, PhotoRecord, Stamp};

/// Pixels in work for each job; a photo of twelve megapixels fits. A pixel needs at most eleven
/// bytes while it is decoded (sixteen-bit colours and transparency, and the result).
const PIXELS_PER_JOB: u64 = 24_000_000;

/// Photos that need more than this are alone.
const LARGE: u64 = 64_000_000;

/// Memory that the network needs for a pixel of its input, in pixels of photos.
const NETWORK_PIXEL: u64 = 6;

const DRAWING_QUALITY: u8 = 90;
const CROP_QUALITY: u8 = 95;
const THUMBNAIL_QUALITY: u8 = 70;

/// What is wanted of each photo.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outputs {
    /// `.pts` files.
    pub pts: bool,
    /// The drawing.
    pub image: bool,
    /// Aligned crops of this size.
    pub crop: Option<u32>,
    /// A thumbnail for the gallery.
    pub thumbnail: bool,
}

impl Outputs {
    /// As the arguments say.
    pub fn new(args: &DetectArgs) -> Self {
        let saves = args.saves();
        let wanted = |kind| saves.contains(&kind);
        Self {
            pts: wanted(Save::Pts),
            image: wanted(Save::Image),
            crop: wanted(Save::Crop).then_some(args.crop_size),
            thumbnail: wanted(Save::Html),
        }
    }

    /// The files of a photo of this size and number of faces.
    pub fn files(&self, layout: &Layout, done: Done) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if self.image {
            files.push(layout.drawing(done.size));
        }
        if self.thumbnail {
            files.push(layout.thumbnail());
        }
        for face in 0..done.faces {
            if self.pts {
                files.push(layout.pts(face));
            }
            if self.crop.is_some() {
                files.push(layout.crop(face));
            }
        }
        files
    }
}

/// Everything that the photos of a call share.
#[derive(Debug)]
pub struct Worker<'a> {
    predictor: &'a Predictor,
    options: DetectOptions,
    outputs: Outputs,
    out: &'a Path,
    limits: imaging::Limits,
    budget: Budget,
}

impl<'a> Worker<'a> {
    /// That writes `outputs` below `out`, for `jobs` photos at a time within `limits`.
    pub fn new(
        predictor: &'a Predictor,
        options: DetectOptions,
        outputs: Outputs,
        out: &'a Path,
        limits: imaging::Limits,
        jobs: usize,
    ) -> Self {
        Self {
            predictor,
            options,
            outputs,
            out,
            limits,
            budget: Budget::new((PIXELS_PER_JOB * jobs as u64).max(2 * LARGE), LARGE),
        }
    }

    /// Tells where the time goes.
    pub fn clock(&self) -> &Clock {
        self.predictor.clock()
    }

    /// Find the faces of a photo and write its files.
    ///
    /// # Errors
    /// When the photo cannot be read. Files that cannot be written are told in what it gives.
    pub fn process(&self, photo: &Photo) -> Result<Processed> {
        let about = || format!("in {}", photo.path.display());
        let clock = self.clock();
        let mut file = clock.time(Stage::Read, || imaging::PhotoFile::open(&photo.path))?;
        // Before reading: what changes meanwhile counts as changed.
        let stamp = Stamp::of_metadata(file.metadata());
        // Loading repeats the error of a header that cannot be read or promises too much.
        let size = clock.time(Stage::Read, || file.size()).ok();
        let size = size.filter(|&size| pixels(size) <= self.limits.max_pixels);
        let size = size.unwrap_or([0, 0]);
        let input = self.predictor.input_pixels(size, &self.options);
        let for_network = NETWORK_PIXEL * input.with_context(about)?;
        let mut permit = self.budget.take(pixels(size) + for_network);
        clock.time(Stage::Read, || file.read_all(&self.limits))?;
        let image = clock.time(Stage::Decode, || file.rgb(&self.limits))?;
        let size = [image.width(), image.height()];
        let prepared = self
            .predictor
            .prepare(&image, &self.options)
            .with_context(about)?;
        let looks_again = self.predictor.looks_again();
        let keeps_photo = self.outputs.image
            || self.outputs.thumbnail
            || self.outputs.crop.is_some()
            || looks_again
            || self.options.looks_further();
        let image = keeps_photo.then_some(image);
        if !keeps_photo {
            permit.shrink(for_network);
        }
        let mut faces = self
            .predictor
            .detect_prepared(prepared, &self.options)
            .with_context(about)?;
        if let Some(image) = &image {
            let closer = self.predictor.look_closer(image, faces, &self.options);
            let closer = closer.with_context(about)?;
            faces = self
                .predictor
                .look_again(image, closer)
                .with_context(about)?;
        }
        Ok(Processed {
            record: PhotoRecord::new(photo.name(), size, &faces),
            stamp,
            shrink: self.shrink(size),
            problems: clock.time(Stage::Write, || self.write_files(photo, &faces, image)),
        })
    }

    /// How many times smaller the photo is where the network sees it best.
    fn shrink(&self, size: [u32; 2]) -> f32 {
        let input = self.options.longest_input(size);
        size[0].max(size[1]) as f32 / input as f32
    }

    /// Write all files of a photo that can be written; gives what is wrong with the others.
    fn write_files(&self, photo: &Photo, faces: &[Face], image: Option<RgbImage>) -> Vec<Error> {
        let layout = Layout::new(self.out, &photo.relative);
        let mut written = Vec::new();
        if self.outputs.pts {
            for (index, face) in faces.iter().enumerate() {
                let text = output::pts_text(&face.landmarks);
                written.push(write(&layout.pts(index), text.as_bytes()));
            }
        }
        if let (Some(image), Some(side)) = (&image, self.outputs.crop) {
            for (index, face) in faces.iter().enumerate() {
                let crop = output::aligned_crop(image, face, self.predictor.scheme(), side);
                let path = layout.crop(index);
                let crop = crop.map_err(Error::from);
                written.push(crop.and_then(|crop| write_picture(&path, &crop, CROP_QUALITY)));
            }
        }
        if let (Some(image), true) = (&image, self.outputs.thumbnail) {
            let small = output::thumbnail(image);
            let path = layout.thumbnail();
            written.push(small.and_then(|small| write_picture(&path, &small, THUMBNAIL_QUALITY)));
        }
        if let (Some(mut image), true) = (image, self.outputs.image) {
            output::draw(&mut image, faces);
            let path = layout.drawing(image.dimensions().into());
            written.push(write_picture(&path, &image, DRAWING_QUALITY));
        }
        written.into_iter().filter_map(Result::err).collect()
    }
}

/// What came of a photo.
#[derive(Debug)]
pub struct Processed {
    /// Its line.
    pub record: PhotoRecord,
    /// The file as it was read.
    pub stamp: Stamp,
    /// How many times smaller the photo was made for the network.
    pub shrink: f32,
    /// Files that could not be written.
    pub problems: Vec<Error>,
}

fn pixels([width, height]: [u32; 2]) -> u64 {
    u64::from(width) * u64::from(height)
}

/// A JPEG, or what else the name says.
fn write_picture(path: &Path, picture: &RgbImage, quality: u8) -> Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    match ImageFormat::from_path(path)? {
        ImageFormat::Jpeg => {
            picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
        }
        other => picture.write_to(&mut bytes, other)?,
    }
    write(path, bytes.get_ref())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic_unsynced(path, |file| Ok(file.write_all(bytes)?))
}
