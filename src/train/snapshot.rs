//! Snapshots: validation photos with truth and predictions drawn, to see how training goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::config::{Config, SnapshotConfig};
use crate::data::{Dataset, Sample};
use crate::evaluation;
use crate::fs::write_atomic_unsynced;
use crate::imaging;
use crate::infer::{DetectOptions, Predictor};
use crate::render::{self, Style, Tile};

/// Longer side of the pictures, pixels: small photos grow to it, so that 98 points can be told
/// apart.
const SIDE: u32 = 960;
const SHEET_TILE: u32 = 480;
const SHEET_COLUMNS: usize = 4;
const JPEG_QUALITY: u8 = 90;

/// Draws a fixed choice of validation photos.
#[derive(Clone)]
pub struct Snapshots {
    config: SnapshotConfig,
    detect: DetectOptions,
    dataset: Arc<Dataset>,
    chosen: Vec<usize>,
}

impl Snapshots {
    /// Choose `snapshot.photos` photos with faces, spread evenly over `dataset`.
    pub fn new(config: &Config, dataset: Arc<Dataset>) -> Self {
        let with_faces: Vec<usize> = (0..dataset.samples.len())
            .filter(|&i| dataset.samples[i].faces.iter().any(|f| !f.ignored))
            .collect();
        let count = config.snapshot.photos.min(with_faces.len());
        let chosen = (0..count)
            .map(|i| with_faces[i * with_faces.len() / count])
            .collect();
        Self {
            config: config.snapshot.clone(),
            detect: DetectOptions::from(&config.detect).with_score(config.snapshot.score),
            dataset,
            chosen,
        }
    }

    /// Whether a snapshot is due within an epoch of `total` batches, after a step that took it
    /// from batch `before` to batch `batch`.
    pub const fn due(&self, before: usize, batch: usize, total: usize) -> bool {
        match self.config.every_batches {
            0 => false,
            every => !self.chosen.is_empty() && before / every < batch / every && batch < total,
        }
    }

    /// Draw one photo, another one each time, as `epoch_EEE_batch_BBBBB.jpg`.
    ///
    /// # Errors
    /// When the photo cannot be read or the picture not written.
    pub fn draw_one(&self, predictor: &Predictor, epoch: usize, batch: usize) -> Result<()> {
        let turn = match self.config.every_batches {
            0 => epoch,
            every => epoch + batch / every,
        };
        let Some(&index) = self.chosen.get(turn % self.chosen.len().max(1)) else {
            return Ok(());
        };
        let picture = self.draw(predictor, index)?;
        save(&picture, &snapshot_path(&self.config.dir, epoch, batch))
    }

    /// Draw all chosen photos on one sheet, `epoch_EEE_sheet.jpg`.
    ///
    /// # Errors
    /// When a photo cannot be read or the sheet not written.
    pub fn draw_sheet(&self, predictor: &Predictor, epoch: usize) -> Result<()> {
        if self.chosen.is_empty() {
            return Ok(());
        }
        let mut tiles = Vec::new();
        for &index in &self.chosen {
            tiles.push(Tile {
                image: self.draw(predictor, index)?,
                caption: self.dataset.samples[index].name.to_string(),
            });
        }
        let sheet = render::mosaic(&tiles, SHEET_COLUMNS, SHEET_TILE);
        let name = format!("epoch_{epoch:03}_sheet.jpg");
        save(&sheet, &self.config.dir.join(name))
    }

    fn draw(&self, predictor: &Predictor, index: usize) -> Result<RgbImage> {
        let sample = &self.dataset.samples[index];
        let photo = self.dataset.decode(index)?;
        let faces = if predictor.finds_faces() {
            predictor.detect(&photo, &self.detect)?
        } else {
            evaluation::align_truths(predictor, &photo, &sample.faces)?
        };
        let (width, height) = photo.dimensions();
        let scale = SIDE as f32 / width.max(height) as f32;
        let size = [width, height].map(|side| ((side as f32 * scale).round() as u32).max(1));
        let mut picture = imaging::resize(&photo, size)?;
        draw_truth(&mut picture, sample, scale);
        let style = Style::for_size(render::PREDICTION, size[0], size[1]);
        for face in faces {
            let points = scaled(&face.landmarks, scale);
            let label = format!("{:.2}", face.score);
            let box_xyxy = face.box_xyxy.transformed(scale, [0.0; 2]);
            render::draw_face(&mut picture, &box_xyxy, Some(&label), &points, &style);
        }
        Ok(picture)
    }
}

/// Where the snapshot of a batch goes.
pub fn snapshot_path(dir: &Path, epoch: usize, batch: usize) -> PathBuf {
    dir.join(format!("epoch_{epoch:03}_batch_{batch:05}.jpg"))
}

fn draw_truth(picture: &mut RgbImage, sample: &Sample, scale: f32) {
    let (width, height) = picture.dimensions();
    let truth = Style::for_size(render::TRUTH, width, height);
    let ignored = Style::for_size(render::IGNORED, width, height).dashed();
    for face in &sample.faces {
        let box_xyxy = face.box_xyxy.transformed(scale, [0.0; 2]);
        let style = if face.ignored { &ignored } else { &truth };
        render::draw_box(picture, &box_xyxy, None, style);
        let points = face
            .landmarks
            .iter()
            .map(|p| (p.at.map(|v| v * scale), p.labelled));
        render::draw_points(picture, points, box_xyxy.side(), style);
    }
}

fn scaled(points: &[[f32; 2]], scale: f32) -> Vec<[f32; 2]> {
    points.iter().map(|p| p.map(|v| v * scale)).collect()
}

fn save(picture: &RgbImage, path: &Path) -> Result<()> {
    write_atomic_unsynced(path, |out| {
        JpegEncoder::new_with_quality(out, JPEG_QUALITY)
            .encode_image(picture)
            .context("cannot encode the picture")
    })
}
