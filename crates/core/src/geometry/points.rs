//! The landmarks of a labelled face.

use std::ops::Deref;

use super::{BoxXyxy, Point, Scheme};
use crate::error::Result;

/// One point of a labelled face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmark {
    /// Its place, pixels; means nothing where nobody labelled it.
    pub at: Point,
    /// Whether it is labelled and, in a training crop, lies inside.
    pub labelled: bool,
}

/// The points of a face in the order of a scheme, or none. Each of them says by itself whether it
/// is labelled, so that there are no two lists that could differ in length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Landmarks(Vec<Landmark>);

impl Landmarks {
    /// Those of a face that has a box only.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Points that are all labelled.
    pub fn all(points: impl IntoIterator<Item = Point>) -> Self {
        points.into_iter().map(|at| (at, true)).collect()
    }

    /// The places of all points, labelled or not.
    pub fn points(&self) -> impl Iterator<Item = Point> + Clone + '_ {
        self.iter().map(|p| p.at)
    }

    /// The places of the labelled points.
    pub fn labelled(&self) -> impl Iterator<Item = Point> + Clone + '_ {
        self.iter().filter(|p| p.labelled).map(|p| p.at)
    }

    /// The place of one point; `None` when it is not labelled or not there.
    pub fn labelled_at(&self, index: usize) -> Option<Point> {
        self.get(index).filter(|p| p.labelled).map(|p| p.at)
    }

    /// Whether at least one point is labelled.
    pub fn any_labelled(&self) -> bool {
        self.iter().any(|p| p.labelled)
    }

    /// The smallest box around the labelled points; `None` without any.
    pub fn bounds(&self) -> Option<BoxXyxy> {
        BoxXyxy::around(&self.labelled().collect::<Vec<_>>())
    }

    /// The same points, each where `to` puts it.
    #[must_use]
    pub fn map(&self, to: impl Fn(Point) -> Point) -> Self {
        self.iter().map(|p| (to(p.at), p.labelled)).collect()
    }

    /// The same points, of which those where `keeps` is false lose their label.
    #[must_use]
    pub fn masked(&self, keeps: impl Fn(Point) -> bool) -> Self {
        let masked = self.iter().map(|p| (p.at, p.labelled && keeps(p.at)));
        masked.collect()
    }

    /// What the points are called in a mirror: the corner of the left eye has become that of the
    /// right one. Their places stay. A face without points has none there either.
    ///
    /// # Errors
    /// When the points are not those of `scheme`.
    pub fn renamed_in_mirror(&self, scheme: &Scheme) -> Result<Self> {
        match self.is_empty() {
            true => Ok(Self::none()),
            false => scheme.mirrored(self).map(Self),
        }
    }
}

impl Deref for Landmarks {
    type Target = [Landmark];

    fn deref(&self) -> &[Landmark] {
        &self.0
    }
}

impl FromIterator<(Point, bool)> for Landmarks {
    fn from_iter<I: IntoIterator<Item = (Point, bool)>>(points: I) -> Self {
        let landmark = |(at, labelled)| Landmark { at, labelled };
        Self(points.into_iter().map(landmark).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Landmarks {
        let places = [[1.0, 2.0], [3.0, 4.0], [9.0, 0.0], [5.0, 6.0], [7.0, 8.0]];
        (0..).zip(places).map(|(i, at)| (at, i != 2)).collect()
    }

    #[test]
    fn unlabelled_points_are_kept_and_do_not_count() {
        let face = some();
        assert_eq!((face.len(), face.points().count()), (5, 5));
        assert_eq!(face.labelled().count(), 4);
        assert_eq!(face.labelled_at(1), Some([3.0, 4.0]));
        assert_eq!((face.labelled_at(2), face.labelled_at(5)), (None, None));
        assert_eq!(face.bounds(), Some(BoxXyxy::new(1.0, 2.0, 7.0, 8.0)));
        let moved = face.map(|[x, y]| [x + 1.0, y]).masked(|[x, _]| x > 4.0);
        let labels: Vec<_> = moved.iter().map(|p| p.labelled).collect();
        assert_eq!(labels, [false, false, false, true, true]);
        assert_eq!(moved[2].at, [10.0, 0.0]);
        let none = Landmarks::none();
        assert!(none.bounds().is_none() && !none.any_labelled());
    }

    #[test]
    fn a_mirror_renames_places_and_labels_or_refuses() {
        let face = some();
        let mirrored = face.renamed_in_mirror(&Scheme::five()).unwrap();
        assert_eq!(mirrored[0], face[1]);
        assert_eq!(mirrored[2], face[2]);
        assert_eq!(mirrored[4], face[3]);
        let error = face.renamed_in_mirror(&Scheme::ibug68()).unwrap_err();
        assert!(error.to_string().contains("5 points"), "{error}");
        let none = Landmarks::none();
        assert_eq!(none.renamed_in_mirror(&Scheme::ibug68()).unwrap(), none);
    }
}
