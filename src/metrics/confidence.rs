//! How far the confidences of points tell where they are off.

use std::fmt;

use serde::Serialize;

use super::statistics::{logistic, rank_correlation};
use crate::data::FaceLabel;
use crate::geometry::{BoxXyxy, Face};
use crate::infer::CLOSE;

/// Share of the points that are left out for [`ConfidenceReport::error_of_surest`].
const LEAST_SURE: f64 = 0.1;
/// Bins of the reliability curve.
const BINS: usize = 10;

/// A labelled point of a face that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    confidence: f32,
    /// Its distance from the truth, share of the longer side of the true points' bounds.
    error: f32,
}

impl Told {
    fn is_close(self) -> bool {
        self.error <= CLOSE
    }
}

/// Collects face by face.
#[derive(Clone, Debug, Default)]
pub struct ConfidenceCounter {
    points: Vec<Told>,
    /// Of each face the mean confidence and the mean error.
    faces: Vec<Told>,
}

impl ConfidenceCounter {
    /// Count the labelled points of a face that was found; nothing where it tells no confidences.
    pub fn add(&mut self, found: &Face, truth: &FaceLabel) {
        let bounds = truth.landmarks.bounds().filter(BoxXyxy::has_size);
        let (Some(scores), Some(bounds)) = (&found.landmark_scores, bounds) else {
            return;
        };
        let side = bounds.longer_side();
        let all = truth.landmarks.iter().zip(&found.landmarks).zip(scores);
        let labelled = all.filter(|((point, _), _)| point.labelled);
        let told = labelled.map(|((point, at), &confidence)| Told {
            confidence,
            error: (at[0] - point.at[0]).hypot(at[1] - point.at[1]) / side,
        });
        let before = self.points.len();
        self.points.extend(told);
        let own = &self.points[before..];
        let of = |value: fn(&Told) -> f32| own.iter().map(value).sum::<f32>() / own.len() as f32;
        if !own.is_empty() {
            let (confidence, error) = (of(|t| t.confidence), of(|t| t.error));
            self.faces.push(Told { confidence, error });
        }
    }

    /// The figures; `None` without a point.
    pub fn finish(&self) -> Option<ConfidenceReport> {
        let mut sorted = self.points.clone();
        sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let surest = ((1.0 - LEAST_SURE) * sorted.len() as f64).ceil() as usize;
        Some(ConfidenceReport {
            points: sorted.len(),
            rank_correlation: correlation(&self.points),
            rank_correlation_of_faces: correlation(&self.faces),
            error: mean_error(&sorted)?,
            error_of_surest: mean_error(&sorted[..surest])?,
            miscalibration: miscalibration(&self.points),
            bins: bins(&self.points),
            recalibration: recalibration(&self.points),
        })
    }
}

/// How far confidences tell errors, of points of faces that were found. Errors are shares of the
/// longer side of the face's true points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfidenceReport {
    /// Number of points.
    pub points: usize,
    /// Spearman's, of doubt and error, over all points: 1 where they have the same order.
    pub rank_correlation: f64,
    /// The same over the means of faces.
    pub rank_correlation_of_faces: f64,
    /// Mean error.
    pub error: f64,
    /// Mean error without the tenth of the points that is least sure.
    pub error_of_surest: f64,
    /// Mean distance between confidence and share of close points over the bins, by their points.
    pub miscalibration: f64,
    /// The reliability curve.
    pub bins: Vec<Bin>,
    /// The straight line `[a, b]` through the log odds `z` of the confidences for which `a + b z` are the
    /// log odds of what was seen, by maximum likelihood (Platt, 1999); none where points do not tell: all
    /// close, or all far.
    pub recalibration: Option<[f64; 2]>,
}

/// Points of similar confidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Mean confidence.
    pub confidence: f64,
    /// Share of the points that are close to the truth.
    pub close: f64,
    /// Number of points.
    pub points: usize,
}

impl ConfidenceReport {
    /// The figures by name.
    pub fn figures(&self) -> [(&'static str, f64); 5] {
        [
            ("confidence/rank_correlation", self.rank_correlation),
            (
                "confidence/rank_correlation_of_faces",
                self.rank_correlation_of_faces,
            ),
            ("confidence/error", self.error),
            ("confidence/error_of_surest", self.error_of_surest),
            ("confidence/miscalibration", self.miscalibration),
        ]
    }
}

impl fmt::Display for ConfidenceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "confidence and error: rank correlation {:.3} (of faces {:.3}), off by {:.3}; \
             error {:.2} % of the face, {:.2} % without the least sure tenth ({} points)",
            self.rank_correlation,
            self.rank_correlation_of_faces,
            self.miscalibration,
            100.0 * self.error,
            100.0 * self.error_of_surest,
            self.points
        )
    }
}

fn mean_error(points: &[Told]) -> Option<f64> {
    let sum: f64 = points.iter().map(|told| f64::from(told.error)).sum();
    (!points.is_empty()).then(|| sum / points.len() as f64)
}

/// Points by tenths of confidence, without those that are empty.
fn bins(points: &[Told]) -> Vec<Bin> {
    let mut sums = [(0.0f64, 0usize, 0usize); BINS];
    for told in points {
        let bin = (f64::from(told.confidence) * BINS as f64) as usize;
        let (confidence, close, count) = &mut sums[bin.min(BINS - 1)];
        *confidence += f64::from(told.confidence);
        *close += usize::from(told.is_close());
        *count += 1;
    }
    let filled = sums.into_iter().filter(|(_, _, points)| *points > 0);
    let bin = |(confidence, close, points): (f64, usize, usize)| Bin {
        confidence: confidence / points as f64,
        close: close as f64 / points as f64,
        points,
    };
    filled.map(bin).collect()
}

/// The expected calibration error (Guo et al., 2017, arXiv:1706.04599).
fn miscalibration(points: &[Told]) -> f64 {
    let off = |bin: &Bin| (bin.confidence - bin.close).abs() * bin.points as f64;
    bins(points).iter().map(off).sum::<f64>() / points.len() as f64
}

/// Of doubt and error.
fn correlation(points: &[Told]) -> f64 {
    let of = |value: fn(&Told) -> f32| -> Vec<f64> {
        points.iter().map(|told| f64::from(value(told))).collect()
    };
    rank_correlation(&of(|told| -told.confidence), &of(|told| told.error))
}

/// Logistic regression of being close on the log odds that were told.
fn recalibration(points: &[Told]) -> Option<[f64; 2]> {
    let odds = |told: &Told| {
        let p = f64::from(told.confidence).clamp(1e-7, 1.0 - 1e-7);
        (p / (1.0 - p)).ln()
    };
    let data = points.iter().map(|told| (odds(told), told.is_close()));
    logistic(&data.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Landmarks;

    fn told(confidence: f32, error: f32) -> Told {
        Told { confidence, error }
    }

    #[test]
    fn errors_are_shares_of_the_faces_longer_side() {
        let truth = FaceLabel {
            landmarks: Landmarks::all([[0.0, 0.0], [10.0, 100.0]]),
            ..FaceLabel::boxed([0.0, 0.0, 1.0, 1.0].into())
        };
        let mut face = Face {
            box_xyxy: [0.0, 0.0, 10.0, 100.0].into(),
            score: 1.0,
            landmarks: vec![[3.0, 4.0], [10.0, 88.0]],
            landmark_scores: None,
            pose: None,
        };
        let mut counter = ConfidenceCounter::default();
        counter.add(&face, &truth);
        assert_eq!(counter.finish(), None);
        face.landmark_scores = Some(vec![0.9, 0.35]);
        counter.add(&face, &truth);
        let report = counter.finish().unwrap();
        assert_eq!((report.points, report.rank_correlation), (2, 1.0));
        assert!((report.error - 0.085).abs() < 1e-6, "{report}");
        assert_eq!(report.bins.len(), 2);
        assert_eq!((report.bins[0].close, report.bins[1].close), (0.0, 1.0));
        // (0.35 - 0) and (1 - 0.9), half of the points each.
        assert!((report.miscalibration - 0.225).abs() < 1e-6);
    }

    #[test]
    fn the_least_sure_tenth_is_left_out() {
        let point = |i: u8| told(f32::from(i) / 20.0, 1.0 - f32::from(i) / 20.0);
        let counter = ConfidenceCounter {
            points: (0..20).map(point).collect(),
            faces: Vec::new(),
        };
        let report = counter.finish().unwrap();
        assert!((report.error - 0.525).abs() < 1e-6);
        assert!((report.error_of_surest - 0.475).abs() < 1e-6, "{report}");
        assert!((report.rank_correlation - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_line_through_the_odds_brings_confidences_to_what_was_seen() {
        // Said .8, and close in six of ten; said .2, and close in four of ten.
        let mut counter = ConfidenceCounter::default();
        for (confidence, close) in [(0.8, 6), (0.2, 4)] {
            let error = |i| if i < close { 0.01 } else { 0.3 };
            counter
                .points
                .extend((0..10).map(|i| told(confidence, error(i))));
        }
        let [a, b] = counter.finish().unwrap().recalibration.unwrap();
        // Both ends of the line are known: ln(.6 / .4) at ln 4, and its opposite.
        assert!(
            a.abs() < 1e-6 && (b - 1.5f64.ln() / 4f64.ln()).abs() < 1e-6,
            "{a} {b}"
        );
        counter.points.retain(|told| told.is_close());
        assert_eq!(counter.finish().unwrap().recalibration, None);
    }
}
