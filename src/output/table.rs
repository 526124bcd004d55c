//! The CSV table: one row a face.

use std::io::Write;

use anyhow::Result;

use super::PhotoRecord;

/// Write the table of `photos`: `image, face, width, height, score, x1, y1, x2, y2, px0, py0,
/// px1, ...` with `points` landmarks. Photos without faces have no row.
///
/// # Errors
/// When writing or one of the records fails.
pub fn write_table(
    out: impl Write,
    points: usize,
    photos: impl Iterator<Item = Result<PhotoRecord>>,
) -> Result<()> {
    let mut table = csv::WriterBuilder::new().flexible(true).from_writer(out);
    let fixed = [
        "image", "face", "width", "height", "score", "x1", "y1", "x2", "y2",
    ];
    let names = (0..points).flat_map(|i| [format!("px{i}"), format!("py{i}")]);
    table.write_record(fixed.map(str::to_owned).into_iter().chain(names))?;
    for photo in photos {
        let photo = photo?;
        for (index, face) in photo.faces.iter().enumerate() {
            let head = [
                photo.image.clone(),
                index.to_string(),
                photo.width.to_string(),
                photo.height.to_string(),
            ];
            let numbers = std::iter::once(face.score)
                .chain(face.box_xyxy)
                .chain(face.landmarks.iter().copied().flatten())
                .map(|v| v.to_string());
            table.write_record(head.into_iter().chain(numbers))?;
        }
    }
    table.flush()?;
    Ok(())
}
