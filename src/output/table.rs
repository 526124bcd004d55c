//! The CSV table: one row a face.

use std::io::Write;

use anyhow::Result;

use super::PhotoRecord;

/// What a table tells of each face beside its box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Number of landmarks.
    pub points: usize,
    /// Whether it tells how sure the landmarks of a face are in the mean.
    pub confidence: bool,
    /// Whether it tells the turn of the head.
    pub pose: bool,
}

/// Write the table of `photos`: `image, face, width, height, score, x1, y1, x2, y2, px0, py0,
/// px1, ...`, and behind them `landmark_confidence` with confidences and `pitch, yaw, roll` with poses,
/// which are empty where a face has none.
/// Photos without faces have no row.
///
/// # Errors
/// When writing or one of the records fails.
pub fn write_table(
    out: impl Write,
    columns: Columns,
    photos: impl Iterator<Item = Result<PhotoRecord>>,
) -> Result<()> {
    let mut table = csv::WriterBuilder::new().flexible(true).from_writer(out);
    let fixed = [
        "image", "face", "width", "height", "score", "x1", "y1", "x2", "y2",
    ];
    let names = (0..columns.points).flat_map(|i| [format!("px{i}"), format!("py{i}")]);
    let more = std::iter::repeat_n("landmark_confidence", usize::from(columns.confidence));
    let angles = ["pitch", "yaw", "roll"]
        .into_iter()
        .filter(|_| columns.pose);
    let names = names.chain(more.chain(angles).map(str::to_owned));
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
            let confidence = face.landmark_confidence.map(|v| v.to_string());
            let confidence = columns.confidence.then(|| confidence.unwrap_or_default());
            let angles = (0..3).filter(|_| columns.pose).map(|i| {
                let angle = face.pose.map(|angles| angles[i].to_string());
                angle.unwrap_or_default()
            });
            let numbers = numbers.chain(confidence).chain(angles);
            table.write_record(head.into_iter().chain(numbers))?;
        }
    }
    table.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::FaceRecord;

    #[test]
    fn confidences_and_poses_stand_behind_the_points() {
        let face = |pose| FaceRecord {
            box_xyxy: [1.0, 2.0, 3.0, 4.0],
            score: 0.5,
            landmarks: vec![[5.0, 6.5]],
            landmark_scores: None,
            landmark_confidence: Some(0.75),
            unsure: false,
            pose,
        };
        let photo = PhotoRecord {
            image: "a.jpg".into(),
            width: 8,
            height: 9,
            faces: vec![face(Some([-1.5, 2.0, 30.25])), face(None)],
        };
        let table = |pose| {
            let (mut out, photos) = (Vec::new(), std::iter::once(Ok(photo.clone())));
            let columns = Columns {
                points: 1,
                confidence: pose,
                pose,
            };
            write_table(&mut out, columns, photos).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            table(true),
            "image,face,width,height,score,x1,y1,x2,y2,px0,py0,landmark_confidence,pitch,yaw,roll\n\
             a.jpg,0,8,9,0.5,1,2,3,4,5,6.5,0.75,-1.5,2,30.25\na.jpg,1,8,9,0.5,1,2,3,4,5,6.5,0.75,,,\n"
        );
        assert!(
            table(false).ends_with(
                "px0,py0\na.jpg,0,8,9,0.5,1,2,3,4,5,6.5\na.jpg,1,8,9,0.5,1,2,3,4,5,6.5\n"
            )
        );
    }
}
