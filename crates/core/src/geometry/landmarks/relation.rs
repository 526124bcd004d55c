//! Which points of two schemes are one.

use super::Scheme;
use super::ibug68::IBUG68_IN_WFLW98;
use super::lapa106::LAPA106_AND_WFLW98;

impl Scheme {
    /// For each point of `self` the point of `other` at the same place, if there is one; `None` when
    /// the two have no known relation.
    pub fn points_in(&self, other: &Self) -> Option<Vec<Option<usize>>> {
        if self == other {
            return Some((0..self.len()).map(Some).collect());
        }
        match (self.name(), other.name()) {
            ("ibug68", "wflw98") => Some(IBUG68_IN_WFLW98.map(Some).to_vec()),
            ("lapa106", "wflw98") => Some(lapa106_in_wflw98()),
            ("lapa106", "ibug68") => {
                let twin = |w| IBUG68_IN_WFLW98.iter().position(|&i| i == w);
                let in_wflw = lapa106_in_wflw98().into_iter();
                Some(in_wflw.map(|w| w.and_then(twin)).collect())
            }
            ("wflw98", "ibug68") | ("wflw98" | "ibug68", "lapa106") => {
                let mut inverse = vec![None; self.len()];
                for (theirs, own) in other.points_in(self)?.into_iter().enumerate() {
                    if let Some(own) = own {
                        inverse[own] = Some(theirs);
                    }
                }
                Some(inverse)
            }
            _ => None,
        }
    }
}

fn lapa106_in_wflw98() -> Vec<Option<usize>> {
    let mut map = vec![None; Scheme::lapa106().len()];
    for (lapa, wflw, count) in LAPA106_AND_WFLW98 {
        (0..count).for_each(|i| map[lapa + i] = Some(wflw + i));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_hold_in_the_mirror_and_the_other_way_round() {
        let count = |a: &Scheme, b: &Scheme| {
            let map = a.points_in(b)?;
            let back = b.points_in(a)?;
            for (i, twin) in map.iter().enumerate() {
                let Some(twin) = *twin else { continue };
                assert_eq!(back[twin], Some(i), "{} {i}", a.name());
                assert_eq!(
                    map[a.mirror()[i]],
                    Some(b.mirror()[twin]),
                    "{} {i}",
                    a.name()
                );
            }
            Some(map.iter().flatten().count())
        };
        let [five, ibug, wflw, lapa] = Scheme::built_in();
        for (a, b, twins) in [
            (&ibug, &wflw, Some(68)),
            (&lapa, &wflw, Some(58)),
            // Without the contour and the five points of the nose's base.
            (&lapa, &ibug, Some(68 - 17 - 5)),
            (&lapa, &lapa, Some(106)),
            (&five, &wflw, None),
        ] {
            assert_eq!(count(a, b), twins, "{} {}", a.name(), b.name());
            assert_eq!(count(b, a), twins, "{} {}", b.name(), a.name());
        }
    }

    #[test]
    fn a_relation_joins_what_the_two_schemes_call_alike() {
        let [_, ibug, wflw, lapa] = Scheme::built_in();
        for (a, b) in [(&ibug, &wflw), (&lapa, &wflw), (&lapa, &ibug)] {
            let map = a.points_in(b).unwrap();
            assert_eq!(a.normalise().map(|i| map[i]), b.normalise().map(Some));
            let parts = |s: &Scheme| {
                let a = s.anatomy();
                [a.nose[0], a.mouth_left[0], a.mouth_right[0]]
            };
            assert_eq!(parts(a).map(|i| map[i]), parts(b).map(Some));
        }
    }
}
