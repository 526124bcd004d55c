//! What the numbers of a detector mean.

use super::Coder;
use crate::settings::{AnchorConfig, HeadConfig, HeadKind};

/// Reads what a detector says about an anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    kind: HeadKind,
    /// Boxes and landmarks.
    pub coder: Coder,
}

impl Head {
    /// Of these settings.
    pub const fn new(head: &HeadConfig, anchors: &AnchorConfig) -> Self {
        Self {
            kind: head.kind,
            coder: Coder {
                boxes: head.boxes,
                variances: anchors.variances,
            },
        }
    }

    /// Which kind of heads it reads.
    pub const fn kind(&self) -> HeadKind {
        self.kind
    }

    /// Scores of all anchors: probability of a face, or quality of the box. `None` when `logits` are
    /// not those of whole anchors. Where a score is certainly less than `lowest`, as that of most
    /// anchors is, it may be 0.
    pub fn scores(&self, logits: &[f32], lowest: f32) -> Option<Vec<f32>> {
        let lowest = logit(lowest);
        let score = |odds: f32| if odds < lowest { 0.0 } else { sigmoid(odds) };
        match self.kind {
            HeadKind::Retinaface => {
                let (pairs, []) = logits.as_chunks::<2>() else {
                    return None;
                };
                Some(pairs.iter().map(|[no, yes]| score(yes - no)).collect())
            }
            HeadKind::Quality => Some(logits.iter().map(|&odds| score(odds)).collect()),
        }
    }
}

/// Neither overflows nor hides what is not a number.
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Log-odds just below those that give this probability; from 16 on it is rounded to 1.
fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln().min(16.0) - 1e-3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(kind: HeadKind) -> Head {
        let config = HeadConfig {
            kind,
            ..HeadConfig::default()
        };
        Head::new(&config, &AnchorConfig::default())
    }

    #[test]
    fn softmax_of_two_neither_overflows_nor_hides_nan() {
        let score = |logits: [f32; 2], lowest| {
            let scores = head(HeadKind::Retinaface).scores(&logits, lowest);
            scores.unwrap()[0]
        };
        assert_eq!(score([0.0, 0.0], 0.02), 0.5);
        assert_eq!(score([-1e4, 1e4], 0.02), 1.0);
        assert_eq!(score([1e4, -1e4], 0.02), 0.0);
        assert!((score([1.0, 3.0], 0.02) - 0.880_797).abs() < 1e-6);
        assert!(score([f32::NAN, 1.0], 0.02).is_nan());
        // Nothing is lost at the limits.
        assert!(score([0.0, (0.02f32 / 0.98).ln()], 0.02) > 0.0199);
        assert!(score([0.0, -50.0], 0.0) > 0.0);
        assert_eq!(score([0.0, 200.0], 1.0), 1.0);
    }

    #[test]
    fn one_logit_is_the_difference_of_two() {
        let pairs = [0.5, 2.0, 1.0, -3.0];
        let two = head(HeadKind::Retinaface).scores(&pairs, 0.0);
        let one = head(HeadKind::Quality).scores(&[1.5, -4.0], 0.0);
        assert_eq!(two, one);
        assert_eq!(head(HeadKind::Retinaface).scores(&pairs[1..], 0.0), None);
    }
}
