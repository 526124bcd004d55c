//! Which of two sets belong together.

/// The column of each of `rows` rows; most alike first, and one to one, so that in a crowd nobody gets
/// what is their neighbour's. Pairs less alike than `lowest` are none.
pub fn best_pairs(
    rows: usize,
    columns: usize,
    lowest: f32,
    likeness: impl Fn(usize, usize) -> f32,
) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for row in 0..rows {
        let alike = (0..columns).map(|column| (likeness(row, column), row, column));
        pairs.extend(alike.filter(|&(alike, ..)| alike >= lowest));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut of_row = vec![None; rows];
    let mut taken = vec![false; columns];
    for (_, row, column) in pairs {
        if of_row[row].is_none() && !taken[column] {
            of_row[row] = Some(column);
            taken[column] = true;
        }
    }
    of_row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_serves_one_row() {
        // Both rows like column 0 best; the second one likes it more.
        let table = [[0.6, 0.5, 0.0], [0.9, 0.7, 0.0], [0.3, 0.2, f32::NAN]];
        let pairs = |lowest| best_pairs(3, 3, lowest, |r, c| table[r][c]);
        assert_eq!(pairs(0.4), [Some(1), Some(0), None]);
        assert_eq!(pairs(0.55), [None, Some(0), None]);
        assert!(
            best_pairs(2, 0, 0.0, |_, _| 1.0)
                .iter()
                .all(Option::is_none)
        );
    }
}
