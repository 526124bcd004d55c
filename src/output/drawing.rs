//! Photos with their faces drawn in.

use image::RgbImage;

use crate::geometry::Face;
use crate::render::{self, Style};

/// Draw box, score and landmarks of every face.
pub fn draw(photo: &mut RgbImage, faces: &[Face]) {
    let (width, height) = photo.dimensions();
    let style = Style::for_size(render::PREDICTION, width, height);
    for face in faces {
        let label = format!("{:.2}", face.score);
        render::draw_face(photo, &face.box_xyxy, Some(&label), &face.landmarks, &style);
    }
}
