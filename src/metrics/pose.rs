//! How far heads' poses are off.

use std::fmt;

use serde::Serialize;

use crate::geometry::HeadPose;

/// Collects face by face.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoseCounter {
    faces: usize,
    /// Of the errors of each angle, degrees.
    sums: [f64; 3],
}

impl PoseCounter {
    /// Count a face where both poses are known.
    pub fn add(&mut self, found: Option<HeadPose>, truth: Option<HeadPose>) {
        let Some((found, truth)) = found.zip(truth) else {
            return;
        };
        self.faces += 1;
        for (sum, error) in self.sums.iter_mut().zip(found.error_degrees(truth)) {
            *sum += f64::from(error);
        }
    }

    /// The figures; `None` without a face.
    pub fn finish(&self) -> Option<PoseReport> {
        let [pitch, yaw, roll] = self.sums.map(|sum| sum / self.faces as f64);
        (self.faces > 0).then_some(PoseReport {
            faces: self.faces,
            pitch,
            yaw,
            roll,
        })
    }
}

/// Mean absolute errors of each angle, degrees, the short way round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PoseReport {
    /// Faces that were found and whose pose both sides tell.
    pub faces: usize,
    /// Of looking up and down.
    pub pitch: f64,
    /// Of looking aside.
    pub yaw: f64,
    /// Of leaning.
    pub roll: f64,
}

impl PoseReport {
    /// The mean of the three.
    pub fn mean(&self) -> f64 {
        (self.pitch + self.yaw + self.roll) / 3.0
    }

    /// The figures by name.
    pub fn figures(&self) -> [(&'static str, f64); 4] {
        [
            ("pose/pitch", self.pitch),
            ("pose/yaw", self.yaw),
            ("pose/roll", self.roll),
            ("pose/mean", self.mean()),
        ]
    }
}

impl fmt::Display for PoseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "head pose off by {:.2} degrees in the mean: pitch {:.2}, yaw {:.2}, roll {:.2} ({} faces)",
            self.mean(),
            self.pitch,
            self.yaw,
            self.roll,
            self.faces
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faces_with_both_poses_count() {
        let pose = |angles| Some(HeadPose::of_degrees(angles));
        let mut counter = PoseCounter::default();
        counter.add(pose([1.0; 3]), None);
        counter.add(None, pose([1.0; 3]));
        assert_eq!(counter.finish(), None);
        counter.add(pose([10.0, -5.0, 178.0]), pose([8.0, 5.0, -178.0]));
        counter.add(pose([0.0; 3]), pose([0.0, 4.0, 1.0]));
        let report = counter.finish().unwrap();
        let found = [report.pitch, report.yaw, report.roll, report.mean()];
        for (found, expected) in found.into_iter().zip([1.0, 7.0, 2.5, 3.5]) {
            assert!((found - expected).abs() < 1e-4, "{report}");
        }
        assert_eq!(report.faces, 2);
        let text =
            "head pose off by 3.50 degrees in the mean: pitch 1.00, yaw 7.00, roll 2.50 (2 faces)";
        assert_eq!(report.to_string(), text);
    }
}
