//! How heads are turned: files of angles beside a list, and what the points of faces tell.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{FaceLabel, list};
use crate::config::{PoseConvention, PoseOrigin, SourceConfig};
use crate::geometry::{FaceModel, HeadPose, Scheme};
use crate::text;

/// Largest angle that a file may hold, degrees: more is no turn of a head, or no angle in degrees.
const LARGEST: f32 = 360.0;

/// The poses of a list's faces, in its order; none for those of which the file does not say.
pub(super) struct HeadPoses(Vec<Option<HeadPose>>);

impl HeadPoses {
    /// Read the file beside the list of `source`, if it has one: one line a face, `pitch yaw roll` in
    /// degrees, or three times `nan` where nobody knows.
    ///
    /// # Errors
    /// Names file and line of what is something else.
    pub(super) fn of(source: &SourceConfig) -> Result<Option<Self>> {
        let read = |path: &PathBuf| Self::read(path, source.pose_convention);
        source.pose.as_ref().map(read).transpose()
    }

    fn read(path: &Path, convention: PoseConvention) -> Result<Self> {
        let text = text::read(path)?;
        let pose = |(line, content)| {
            parse(content, convention).with_context(|| format!("{}:{line}", path.display()))
        };
        Ok(Self(list::lines(&text).map(pose).collect::<Result<_>>()?))
    }

    /// Of the face at `index` in the list.
    pub(super) fn get(&self, index: usize) -> Option<HeadPose> {
        self.0.get(index).copied().flatten()
    }

    /// Whether there is one line for each of the list's `faces`.
    ///
    /// # Errors
    /// When there are others.
    pub(super) fn check(&self, faces: usize) -> Result<()> {
        ensure!(
            self.0.len() == faces,
            "data.*.pose has {} lines, but its list has {faces} faces; it needs one a line",
            self.0.len()
        );
        Ok(())
    }
}

fn parse(line: &str, convention: PoseConvention) -> Result<Option<HeadPose>> {
    let tokens: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _] = tokens[..] else {
        bail!(
            "expected pitch, yaw and roll, found {} numbers",
            tokens.len()
        );
    };
    if tokens.iter().all(|token| token.eq_ignore_ascii_case("nan")) {
        return Ok(None);
    }
    let mut angles = [0.0; 3];
    for (angle, token) in angles.iter_mut().zip(tokens) {
        *angle = list::number(token).map_err(|fault| anyhow::anyhow!(fault.text))?;
        ensure!(
            angle.abs() <= LARGEST,
            "`{token}` is no angle of a head in degrees"
        );
    }
    Ok(Some(match convention {
        PoseConvention::W300Lp => HeadPose::of_degrees(angles),
        PoseConvention::Face3d => HeadPose::of_face3d_degrees(angles),
    }))
}

/// Where the poses of some faces come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Origins {
    pub labels: usize,
    pub points: usize,
    /// Faces with points that have no pose.
    pub none: usize,
}

/// Give each of `faces` with points in `scheme` its pose as `origin` says.
pub(super) fn settle<'a>(
    faces: impl Iterator<Item = &'a mut FaceLabel>,
    scheme: &Scheme,
    origin: PoseOrigin,
) -> Origins {
    let model = match origin {
        PoseOrigin::Labels => None,
        PoseOrigin::Points | PoseOrigin::LabelsOrPoints => FaceModel::of(scheme),
    };
    let mut origins = Origins::default();
    for face in faces {
        if origin == PoseOrigin::Points {
            face.pose = None;
        }
        if face.pose.is_some() {
            origins.labels += 1;
            continue;
        }
        face.pose = model.as_ref().and_then(|model| model.pose(&face.landmarks));
        origins.points += usize::from(face.pose.is_some());
        origins.none += usize::from(face.pose.is_none() && face.has_landmarks());
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{BoxXyxy, Landmarks};

    const LP: PoseConvention = PoseConvention::W300Lp;

    #[test]
    fn lines_are_three_angles_or_unknown() {
        let degrees = |line, convention| {
            let pose = parse(line, convention).unwrap();
            pose.map(|pose| pose.degrees().map(|v| (v * 100.0).round() / 100.0))
        };
        assert_eq!(degrees("12.6 -6.3  -0.9", LP), Some([12.6, -6.3, -0.9]));
        let down = degrees("12.6 0 0", PoseConvention::Face3d);
        assert_eq!(down, Some([-12.6, 0.0, 0.0]));
        assert_eq!(degrees("nan NaN nan", LP), None);
        for (line, why) in [
            ("1 2", "found 2 numbers"),
            ("1 2 3 4", "found 4 numbers"),
            ("1 nan 2", "finite"),
            ("1 x 2", "`x`"),
            ("1 2 361", "`361`"),
        ] {
            let error = format!("{:#}", parse(line, LP).unwrap_err());
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn each_origin_asks_whom_it_says() {
        let scheme = Scheme::five();
        let told = HeadPose::of_degrees([5.0, 6.0, 7.0]);
        let bare = FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 100.0, 100.0));
        let seen = FaceLabel {
            landmarks: Landmarks::all([
                [30.0, 40.0],
                [70.0, 40.0],
                [50.0, 60.0],
                [35.0, 80.0],
                [65.0, 80.0],
            ]),
            ..bare.clone()
        };
        let faces = [
            bare.clone(),
            FaceLabel {
                pose: Some(told),
                ..bare
            },
            seen.clone(),
            FaceLabel {
                pose: Some(told),
                ..seen
            },
        ];
        let settled = |origin| {
            let mut faces = faces.clone();
            let origins = settle(faces.iter_mut(), &scheme, origin);
            let Origins {
                labels,
                points,
                none,
            } = origins;
            (faces.map(|face| face.pose), [labels, points, none])
        };
        let by_points = FaceModel::of(&scheme).unwrap().pose(&faces[2].landmarks);
        assert!(by_points.is_some());
        let (told, none) = (Some(told), None);
        assert_eq!(
            settled(PoseOrigin::Labels),
            ([none, told, none, told], [2, 0, 1])
        );
        assert_eq!(
            settled(PoseOrigin::Points),
            ([none, none, by_points, by_points], [0, 2, 0])
        );
        assert_eq!(
            settled(PoseOrigin::LabelsOrPoints),
            ([none, told, by_points, told], [2, 1, 0])
        );
    }
}
