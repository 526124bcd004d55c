//! Mosaics of the best and the worst faces.

use anyhow::Result;
use image::RgbImage;
use rayon::prelude::*;

use super::FaceOutcome;
use crate::data::{Dataset, FaceLabel};
use crate::geometry::{Affine, BoxXyxy, Point};
use crate::imaging;
use crate::render::{self, PREDICTION, Style, TRUTH, Tile};

/// Side of a tile, pixels.
const SIDE: u32 = 192;
const COLUMNS: usize = 8;
/// How much around the true box is shown.
const MARGIN: f32 = 1.5;

/// Which faces to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those with the smallest errors.
    Best,
    /// Those with the largest errors, the missed first.
    Worst,
}

/// A picture of up to `count` faces: truth green, prediction blue, error below.
///
/// # Errors
/// When a photo cannot be decoded.
pub fn mosaic(
    dataset: &Dataset,
    faces: &[FaceOutcome],
    which: Which,
    count: usize,
) -> Result<RgbImage> {
    let mut chosen: Vec<&FaceOutcome> = faces.iter().collect();
    chosen.sort_by(|a, b| match which {
        Which::Best => a.nme.total_cmp(&b.nme),
        Which::Worst => b.nme.total_cmp(&a.nme),
    });
    chosen.truncate(count);
    let tiles: Vec<Tile> = chosen
        .par_iter()
        .map(|face| draw(dataset, face))
        .collect::<Result<_>>()?;
    Ok(render::mosaic(&tiles, COLUMNS, SIDE))
}

fn draw(dataset: &Dataset, outcome: &FaceOutcome) -> Result<Tile> {
    let photo = dataset.decode(outcome.sample)?;
    let truth = &dataset.samples[outcome.sample].faces[outcome.face];
    let map = close_up(&truth.box_xyxy);
    let mut image = imaging::warp(&photo, &map, [SIDE, SIDE], [0; 3])?;
    draw_truth(&mut image, truth, &map);
    let caption = match &outcome.detection {
        None => "missed".to_owned(),
        Some(face) => {
            let style = Style::for_size(PREDICTION, SIDE, SIDE);
            let points = mapped(&map, &face.landmarks);
            let place = mapped_box(&map, &face.box_xyxy);
            render::draw_face(&mut image, &place, None, &points, &style);
            format!("{:.2} %  score {:.2}", 100.0 * outcome.nme, face.score)
        }
    };
    Ok(Tile { image, caption })
}

fn draw_truth(image: &mut RgbImage, truth: &FaceLabel, map: &Affine) {
    let style = Style::for_size(TRUTH, SIDE, SIDE);
    let points: Vec<Point> = truth.landmarks.labelled().collect();
    let place = mapped_box(map, &truth.box_xyxy);
    render::draw_face(image, &place, None, &mapped(map, &points), &style);
}

/// From the photo to a tile with the face in its middle.
fn close_up(face: &BoxXyxy) -> Affine {
    let extent = face.width().max(face.height()) * MARGIN;
    let scale = SIDE as f32 / extent.max(1.0);
    let [x, y] = face.centre();
    let middle = SIDE as f32 * 0.5;
    Affine::scale_shift(scale, [middle - x * scale, middle - y * scale])
}

fn mapped(map: &Affine, points: &[Point]) -> Vec<Point> {
    points.iter().map(|&p| map.apply(p)).collect()
}

fn mapped_box(map: &Affine, b: &BoxXyxy) -> BoxXyxy {
    let ([x1, y1], [x2, y2]) = (map.apply([b.x1, b.y1]), map.apply([b.x2, b.y2]));
    BoxXyxy::new(x1, y1, x2, y2)
}
