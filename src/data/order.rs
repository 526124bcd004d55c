//! Which photo comes when: a function of seed and epoch alone.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The photos of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their indices.
    pub members: std::ops::Range<usize>,
    /// How often each is drawn, relative to photos of other groups.
    pub weight: f32,
}

/// Separates the streams of random numbers drawn from one seed.
#[derive(Clone, Copy)]
enum Stream {
    Source = 1,
    Epoch = 2,
    Item = 3,
}

fn rng(seed: u64, stream: Stream, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (chunk, value) in key.chunks_exact_mut(8).zip([seed, stream as u64, a, b]) {
        chunk.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Random numbers of the item at `position` of an epoch, whoever prepares it.
pub fn item_rng(seed: u64, epoch: usize, position: usize) -> ChaCha8Rng {
    rng(seed, Stream::Item, epoch as u64, position as u64)
}

/// The photos of an epoch, in order: `samples` of them (0: as many as the groups with a weight
/// hold), divided among the groups by weight x members. Within a group every photo is drawn once
/// before any is drawn again, across epochs too.
pub fn epoch_order(groups: &[Group], seed: u64, epoch: usize, samples: usize) -> Vec<usize> {
    let total = if samples > 0 {
        samples
    } else {
        let drawn = groups.iter().filter(|g| g.weight > 0.0);
        drawn.map(|g| g.members.len()).sum()
    };
    let mut order = Vec::with_capacity(total);
    for (g, (group, share)) in groups.iter().zip(shares(groups, total)).enumerate() {
        draw(group, share, (seed, g, epoch), &mut order);
    }
    order.shuffle(&mut rng(seed, Stream::Epoch, epoch as u64, 0));
    order
}

/// How many of `total` photos each group gives, by largest remainder.
fn shares(groups: &[Group], total: usize) -> Vec<usize> {
    let mass = |g: &Group| f64::from(g.weight.max(0.0)) * g.members.len() as f64;
    let sum: f64 = groups.iter().map(mass).sum();
    if sum <= 0.0 {
        return vec![0; groups.len()];
    }
    let exact: Vec<f64> = groups
        .iter()
        .map(|g| mass(g) / sum * total as f64)
        .collect();
    let mut shares: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
    let mut by_rest: Vec<usize> = (0..groups.len()).filter(|&g| exact[g] > 0.0).collect();
    by_rest.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let missing = total.saturating_sub(shares.iter().sum());
    for &g in by_rest.iter().cycle().take(missing) {
        shares[g] += 1;
    }
    shares
}

/// The next `share` photos of a group: its members, shuffled anew each time around.
fn draw(
    group: &Group,
    share: usize,
    (seed, index, epoch): (u64, usize, usize),
    out: &mut Vec<usize>,
) {
    let len = group.members.len();
    if len == 0 || share == 0 {
        return;
    }
    let (mut at, end) = (epoch * share, (epoch + 1) * share);
    while at < end {
        let round = at / len;
        let mut members: Vec<usize> = group.members.clone().collect();
        members.shuffle(&mut rng(seed, Stream::Source, index as u64, round as u64));
        let stop = end.min((round + 1) * len);
        out.extend_from_slice(&members[at - round * len..stop - round * len]);
        at = stop;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        vec![
            Group {
                members: 0..10,
                weight: 3.0,
            },
            Group {
                members: 10..40,
                weight: 1.0,
            },
        ]
    }

    #[test]
    fn equal_weights_give_every_photo_once() {
        let mut groups = groups();
        groups[0].weight = 1.0;
        let mut order = epoch_order(&groups, 7, 3, 0);
        assert_ne!(order, epoch_order(&groups, 7, 4, 0));
        assert_ne!(order, epoch_order(&groups, 8, 3, 0));
        assert_eq!(order, epoch_order(&groups, 7, 3, 0));
        order.sort_unstable();
        assert_eq!(order, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn weights_count_per_photo_and_even_out_over_epochs() {
        let mut seen = [0; 40];
        for epoch in 0..4 {
            let order = epoch_order(&groups(), 0, epoch, 20);
            assert_eq!(order.len(), 20);
            assert_eq!(order.iter().filter(|&&i| i < 10).count(), 10);
            for i in order {
                seen[i] += 1;
            }
        }
        assert!(seen[..10].iter().all(|&n| n == 4), "{seen:?}");
        assert!(seen[10..].iter().all(|&n| n == 1 || n == 2), "{seen:?}");
    }

    #[test]
    fn a_group_without_weight_is_never_drawn() {
        let mut groups = groups();
        groups[1].weight = 0.0;
        let order = epoch_order(&groups, 0, 0, 0);
        assert_eq!(order.len(), 10);
        assert!(order.iter().all(|&i| i < 10));
        assert!(epoch_order(&[], 0, 0, 5).is_empty());
    }
}
