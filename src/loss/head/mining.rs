//! Hard-negative mining.

/// The background anchors of one image that look most like a face. `labels` per anchor (1 face,
/// 0 background, -1 ignored), `face_margins` = face logit - background logit, `ratio` negatives
/// per positive; an image without positives counts as having one, so that background still
/// teaches. Ties go to the lower index; NaN margins come first, so that a broken network shows.
pub fn hard_negatives(labels: &[i8], face_margins: &[f32], ratio: f32) -> Vec<usize> {
    let positives = labels.iter().filter(|&&l| l == 1).count();
    let wanted = (ratio * positives.max(1) as f32).round() as usize;
    let mut negatives: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == 0).collect();
    let harder = |&a: &usize, &b: &usize| {
        let (a_nan, b_nan) = (face_margins[a].is_nan(), face_margins[b].is_nan());
        b_nan
            .cmp(&a_nan)
            .then(face_margins[b].total_cmp(&face_margins[a]))
            .then(a.cmp(&b))
    };
    if wanted == 0 {
        return Vec::new();
    }
    if wanted < negatives.len() {
        negatives.select_nth_unstable_by(wanted - 1, harder);
        negatives.truncate(wanted);
    }
    negatives.sort_unstable();
    negatives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardest_are_taken_and_ignored_ones_are_not() {
        let labels = [1, 0, 0, -1, 0, 0];
        let margins = [9.0, -1.0, 3.0, 8.0, 2.0, -4.0];
        assert_eq!(hard_negatives(&labels, &margins, 2.0), [2, 4]);
        assert_eq!(hard_negatives(&labels, &margins, 7.0), [1, 2, 4, 5]);
        assert!(hard_negatives(&labels, &margins, 0.0).is_empty());
        // One and a half is two; of equal ones the first.
        assert_eq!(hard_negatives(&labels, &[0.0; 6], 1.5), [1, 2]);
    }

    #[test]
    fn an_image_without_faces_still_teaches_background() {
        assert_eq!(
            hard_negatives(&[0; 5], &[0.0, 1.0, 2.0, 3.0, f32::NAN], 2.0),
            [3, 4]
        );
        assert!(hard_negatives(&[-1; 5], &[0.0; 5], 7.0).is_empty());
    }
}
