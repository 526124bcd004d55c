//! Figures of paired numbers.

/// Steps of Newton's method; it settles within ten.
const STEPS: usize = 50;

/// Spearman's rank correlation of pairs `(a[i], b[i])`; 0 where one of the two is the same everywhere.
pub(super) fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let middle = (a.len() as f64 - 1.0) * 0.5;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(x, y)| (x - middle) * (y - middle)).sum()
    };
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    if spread > 0.0 {
        product(&a, &b) / spread
    } else {
        0.0
    }
}

/// The rank of each, from 0; equal ones share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let shared = start as f64 + (equal.len() as f64 - 1.0) * 0.5;
        for &index in equal {
            ranks[index] = shared;
        }
        start += equal.len();
    }
    ranks
}

/// Logistic regression of `(x, yes or no)` by Newton's method: `[a, b]` of `a + b x`; `None` where it does
/// not settle: all say the same, or `x` tells the two apart.
pub(super) fn logistic(data: &[(f64, bool)]) -> Option<[f64; 2]> {
    let [mut a, mut b] = [0.0f64, 1.0];
    for _ in 0..STEPS {
        let mut slope = [0.0; 2];
        let mut curve = [0.0; 3];
        for &(x, yes) in data {
            let p = 1.0 / (1.0 + (-(a + b * x)).exp());
            let (off, weight) = (f64::from(u8::from(yes)) - p, p * (1.0 - p));
            slope = [slope[0] + off, slope[1] + off * x];
            curve = [
                curve[0] + weight,
                curve[1] + weight * x,
                curve[2] + weight * x * x,
            ];
        }
        let determinant = curve[0] * curve[2] - curve[1] * curve[1];
        if determinant <= f64::EPSILON * curve[0] * curve[2] {
            return None;
        }
        let step = [
            (curve[2] * slope[0] - curve[1] * slope[1]) / determinant,
            (curve[0] * slope[1] - curve[1] * slope[0]) / determinant,
        ];
        [a, b] = [a + step[0], b + step[1]];
        if step.iter().all(|s| s.abs() < 1e-9) {
            return Some([a, b]).filter(|line| line.iter().all(|v| v.is_finite()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_ranks() {
        let (a, b) = ([-0.9, -0.9, -0.5, -0.1], [0.2, 0.1, 0.3, 0.3]);
        assert_eq!(ranks(&a), [0.5, 0.5, 2.0, 3.0]);
        assert_eq!(ranks(&b), [1.0, 0.0, 2.5, 2.5]);
        // About 1.5: 4 / sqrt(4.5 * 4.5).
        assert!((rank_correlation(&a, &b) - 4.0 / 4.5).abs() < 1e-12);
        assert_eq!(rank_correlation(&[0.5, 0.5], &[0.1, 0.2]), 0.0);
    }

    #[test]
    fn a_line_through_what_was_seen() {
        // Six of ten at ln 4, four of ten at its opposite: both ends of the line are known.
        let x = 4f64.ln();
        let at = |x: f64, yes: usize| (0..10).map(move |i| (x, i < yes));
        let data: Vec<_> = at(x, 6).chain(at(-x, 4)).collect();
        let [a, b] = logistic(&data).unwrap();
        assert!(
            a.abs() < 1e-9 && (b - 1.5f64.ln() / x).abs() < 1e-9,
            "{a} {b}"
        );
        // Nothing bounds the slope.
        let apart: Vec<_> = at(x, 10).chain(at(-x, 0)).collect();
        assert_eq!(logistic(&apart), None);
        assert_eq!(
            logistic(&at(x, 10).chain(at(-x, 10)).collect::<Vec<_>>()),
            None
        );
        assert_eq!(logistic(&[]), None);
    }
}
