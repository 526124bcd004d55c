//! What is said of faces as JSON: lines of `detections.jsonl`.

use serde::{Deserialize, Serialize};

use crate::geometry::Face;

/// One photo: one line. Pixels of the upright photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhotoRecord {
    /// Path relative to the PATH given, with `/` between its parts.
    pub image: String,
    /// Width of the upright photo.
    pub width: u32,
    /// Height of the upright photo.
    pub height: u32,
    /// Its faces, best first.
    pub faces: Vec<FaceRecord>,
}

/// One face of a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceRecord {
    /// `[x1, y1, x2, y2]`.
    #[serde(rename = "box")]
    pub box_xyxy: [f32; 4],
    /// Probability of a face.
    pub score: f32,
    /// `[x, y]` of each landmark.
    pub landmarks: Vec<[f32; 2]>,
    /// Confidence of each landmark, when the model gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmark_scores: Option<Vec<f32>>,
    /// Their mean: the share of the landmarks that is expected to be close to the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmark_confidence: Option<f32>,
    /// Whether the landmarks are not to be trusted; see [`TRUSTED`](crate::geometry::TRUSTED).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// Pitch, yaw and roll of the head, degrees, when the model tells them. Up, to the left of the
    /// picture and clockwise are positive; see [`HeadPose`](crate::geometry::HeadPose).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<[f32; 3]>,
}

impl PhotoRecord {
    /// The line of a photo. Coordinates are rounded to hundredths of a pixel, angles to hundredths
    /// of a degree, scores to five decimals.
    pub fn new(image: String, [width, height]: [u32; 2], faces: &[Face]) -> Self {
        Self {
            image,
            width,
            height,
            faces: faces.iter().map(FaceRecord::new).collect(),
        }
    }
}

impl FaceRecord {
    /// A face of a line, rounded as there.
    pub fn new(face: &Face) -> Self {
        Self {
            box_xyxy: <[f32; 4]>::from(face.box_xyxy).map(hundredths),
            score: score(face.score),
            landmarks: face.landmarks.iter().map(|p| p.map(hundredths)).collect(),
            landmark_scores: face
                .landmark_scores
                .as_ref()
                .map(|s| s.iter().copied().map(score).collect()),
            landmark_confidence: face.confidence().map(score),
            unsure: face.is_unsure(),
            pose: face.pose.map(|pose| pose.degrees().map(hundredths)),
        }
    }
}

fn hundredths(v: f32) -> f32 {
    rounded(v, 100.0)
}

fn score(v: f32) -> f32 {
    rounded(v, 1e5)
}

/// In `f64`, where a large coordinate times 100 is still exact; adding zero turns -0 into 0.
fn rounded(v: f32, steps: f64) -> f32 {
    ((f64::from(v) * steps).round() / steps) as f32 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::HeadPose;

    #[test]
    fn a_line_has_the_documented_shape() {
        let face = Face {
            box_xyxy: [1.0, 2.125, 3.0, 4.0].into(),
            score: 0.912_345_6,
            landmarks: vec![[-0.001, 10_000.016]],
            landmark_scores: None,
            pose: None,
        };
        let line = serde_json::to_string(&PhotoRecord::new(
            "a/b.jpg".into(),
            [5, 6],
            std::slice::from_ref(&face),
        ));
        let expected = concat!(
            r#"{"image":"a/b.jpg","width":5,"height":6,"#,
            r#""faces":[{"box":[1.0,2.13,3.0,4.0],"score":0.91235,"#,
            r#""landmarks":[[0.0,10000.02]]}]}"#
        );
        assert_eq!(line.unwrap(), expected);
        let hidden = Face {
            landmark_scores: Some(vec![0.5]),
            ..face.clone()
        };
        let line = serde_json::to_string(&FaceRecord::new(&hidden)).unwrap();
        let expected = r#""landmark_scores":[0.5],"landmark_confidence":0.5,"unsure":true}"#;
        assert!(line.ends_with(expected), "{line}");
        let turned = Face {
            pose: Some(HeadPose::of_degrees([-12.345, 0.0, 179.999])),
            landmarks: Vec::new(),
            ..face
        };
        let line = serde_json::to_string(&FaceRecord::new(&turned)).unwrap();
        assert!(
            line.ends_with(r#""landmarks":[],"pose":[-12.35,0.0,180.0]}"#),
            "{line}"
        );
    }
}
