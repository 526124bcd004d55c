//! One photo: load, look, write.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use super::budget::Budget;
use super::plan::Photo;
use crate::cli::{DetectArgs, Save};
use crate::fs::write_atomic;
use crate::geometry::Face;
use crate::imaging;
use crate::infer::{DetectOptions, Predictor};
use crate::output::{self, Done, Layout, PhotoRecord};

/// Pixels in work for each job; a photo of twelve megapixels fits. A pixel needs at most eleven
/// bytes while it is decoded (sixteen-bit colours and transparency, and the result).
const PIXELS_PER_JOB: u64 = 24_000_000;

/// Photos that need more than this are alone.
const LARGE: u64 = 64_000_000;

/// Memory that the network needs for a pixel of its input, in pixels of photos.
const NETWORK_PIXEL: u64 = 6;

const DRAWING_QUALITY: u8 = 90;
const CROP_QUALITY: u8 = 95;

/// What is wanted of each photo.
#[derive(Clone, Copy, Debug)]
pub struct Outputs {
    /// `.pts` files.
    pub pts: bool,
    /// The drawing.
    pub image: bool,
    /// Aligned crops of this size.
    pub crop: Option<u32>,
}

impl Outputs {
    /// As the arguments say.
    pub fn new(args: &DetectArgs) -> Self {
        let wanted = |kind| args.save.contains(&kind);
        Self {
            pts: wanted(Save::Pts),
            image: wanted(Save::Image),
            crop: wanted(Save::Crop).then_some(args.crop_size),
        }
    }

    /// The files of a photo of this size and number of faces.
    pub fn files(&self, layout: &Layout, done: Done) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if self.image {
            files.push(layout.drawing(done.size));
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
    /// As the arguments say.
    pub fn new(predictor: &'a Predictor, args: &'a DetectArgs, jobs: usize) -> Self {
        let mut options = DetectOptions::from(&predictor.config().detect);
        options.size = args.size.first().copied().unwrap_or(options.size);
        options.second_size = args.size.get(1).copied();
        options.score = args.score.unwrap_or(options.score);
        options.nms_iou = args.nms.unwrap_or(options.nms_iou);
        options.max_faces = args.max_faces.map_or(options.max_faces, |n| n as usize);
        Self {
            predictor,
            options,
            outputs: Outputs::new(args),
            out: &args.out,
            limits: imaging::Limits {
                max_pixels: args.max_pixels,
            },
            budget: Budget::new((PIXELS_PER_JOB * jobs as u64).max(2 * LARGE), LARGE),
        }
    }

    /// Find the faces of a photo and write its files.
    ///
    /// # Errors
    /// When the photo cannot be read or a file cannot be written.
    pub fn process(&self, photo: &Photo) -> Result<PhotoRecord> {
        let about = || format!("in {}", photo.path.display());
        check_file(&photo.path)?;
        // Loading repeats the error of a header that cannot be read or promises too much.
        let size = imaging::probe(&photo.path).ok();
        let size = size.filter(|&size| pixels(size) <= self.limits.max_pixels);
        let size = size.unwrap_or([0, 0]);
        let input = self.predictor.input_pixels(size, &self.options);
        let for_network = NETWORK_PIXEL * input.with_context(about)?;
        let mut permit = self.budget.take(pixels(size) + for_network);
        let image = imaging::load_rgb(&photo.path, &self.limits)?;
        let size = [image.width(), image.height()];
        let prepared = self
            .predictor
            .prepare(&image, &self.options)
            .with_context(about)?;
        let looks_again = self.predictor.align_options().is_some();
        let keeps_photo = self.outputs.image || self.outputs.crop.is_some() || looks_again;
        let image = keeps_photo.then_some(image);
        if !keeps_photo {
            permit.shrink(for_network);
        }
        let mut faces = self
            .predictor
            .detect_prepared(prepared, &self.options)
            .with_context(about)?;
        if let Some(image) = &image {
            faces = self
                .predictor
                .look_again(image, faces)
                .with_context(about)?;
        }
        let layout = Layout::new(self.out, &photo.relative);
        if self.outputs.pts {
            for (index, face) in faces.iter().enumerate() {
                let text = output::pts_text(&face.landmarks);
                write(&layout.pts(index), text.as_bytes())?;
            }
        }
        if let Some(image) = image {
            self.write_pictures(image, &faces, &layout)?;
        }
        Ok(PhotoRecord::new(photo.name.clone(), size, &faces))
    }

    fn write_pictures(&self, mut photo: RgbImage, faces: &[Face], layout: &Layout) -> Result<()> {
        if let Some(side) = self.outputs.crop {
            for (index, face) in faces.iter().enumerate() {
                let scheme = self.predictor.scheme();
                let crop = output::aligned_crop(&photo, face, scheme, side)?;
                write_picture(&layout.crop(index), &crop, CROP_QUALITY)?;
            }
        }
        if self.outputs.image {
            output::draw(&mut photo, faces);
            let path = layout.drawing(photo.dimensions().into());
            write_picture(&path, &photo, DRAWING_QUALITY)?;
        }
        Ok(())
    }
}

fn pixels([width, height]: [u32; 2]) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Opening a pipe or a device could wait for ever.
fn check_file(path: &Path) -> Result<()> {
    let shown = path.display();
    let data = path
        .metadata()
        .with_context(|| format!("cannot read {shown}"))?;
    ensure!(data.is_file(), "cannot read {shown}: it is not a file");
    Ok(())
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
    write_atomic(path, |file| Ok(file.write_all(bytes)?))
}
