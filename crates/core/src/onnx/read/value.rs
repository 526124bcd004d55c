//! What a name in a file stands for while it is read.

use super::constant::{Constant, product};
use crate::graph::{Graph, NodeId, Shape};

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Value {
    /// Known numbers.
    Constant(Constant),
    /// What depends on the image.
    Data(Data),
}

/// A tensor of a file for one image, of nodes of a graph.
#[derive(Clone, Debug)]
pub struct Data {
    /// Which nodes, in which order of numbers.
    pub form: Form,
    /// Its shape in the file for one image.
    pub dims: Vec<usize>,
}

/// How a tensor consists of what nodes give.
#[derive(Clone, Debug)]
pub enum Form {
    /// `[1,C,H,W]`.
    Map(NodeId),
    /// The same as `[1,H,W,C]`.
    Last(NodeId),
    /// Behind each other in the order map, y, x, channel; the last axis is `k`.
    Rows { maps: Vec<NodeId>, k: usize },
    /// A node that gives rows.
    Table(NodeId),
    /// All numbers of each part behind each other, whatever the axes.
    Vector(Vec<NodeId>),
    /// `[1,C,h,w]`: `small` enlarged to `size`.
    Resized { small: NodeId, size: [usize; 2] },
    /// `[1,L,H*W]`: on the way to expected places.
    Planes {
        maps: NodeId,
        /// What was added, and its name.
        prior: Option<(String, Constant)>,
        /// Whether these are shares already.
        softmax: bool,
    },
}

impl Data {
    /// What a node gives as a map.
    pub fn map(graph: &Graph, id: NodeId) -> Self {
        let [channels, height, width] = graph.node(id).shape;
        Self {
            form: Form::Map(id),
            dims: vec![1, channels, height, width],
        }
    }

    /// What a node gives as a vector.
    pub fn vector(graph: &Graph, id: NodeId) -> Self {
        let numbers = graph.node(id).shape.iter().product();
        Self {
            form: Form::Vector(vec![id]),
            dims: vec![1, numbers],
        }
    }

    /// Axis `axis`, which counts from the end where it is negative.
    pub fn axis(&self, axis: i64) -> Option<usize> {
        axis_of(axis, self.dims.len())
    }
}

/// Axis `axis` of `rank`, which counts from the end where it is negative.
pub fn axis_of(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 {
        axis.checked_add(rank)?
    } else {
        axis
    };
    (0..rank)
        .contains(&axis)
        .then(|| usize::try_from(axis).ok())?
}

/// What `Reshape` makes of the sizes `from`: 0 keeps a size, -1 is what remains.
pub fn resolve(from: &[usize], target: &[i64]) -> Option<Vec<usize>> {
    let total = product(from)?;
    let mut dims = Vec::new();
    for (axis, &size) in target.iter().enumerate() {
        dims.push(match size {
            0 => *from.get(axis)?,
            -1 => 1,
            size => usize::try_from(size).ok()?,
        });
    }
    let known = product(&dims)?;
    let mut unknown = (0..target.len()).filter(|&axis| target[axis] == -1);
    if let Some(axis) = unknown.next() {
        if known == 0 || !total.is_multiple_of(known) || unknown.next().is_some() {
            return None;
        }
        dims[axis] = total / known;
    }
    (product(&dims) == Some(total)).then_some(dims)
}

/// Whether a map is one number for each channel.
pub fn is_vector(shape: Shape) -> bool {
    shape[1] == 1 && shape[2] == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_by_hand() {
        let from = [1, 6, 4];
        assert_eq!(resolve(&from, &[0, -1, 2]), Some(vec![1, 12, 2]));
        assert_eq!(resolve(&from, &[24]), Some(vec![24]));
        for wrong in [
            &[5, -1][..],
            &[-1, -1],
            &[23],
            &[-2, 12],
            &[0, 0, 0, 0],
            &[i64::MAX, 8],
        ] {
            assert_eq!(resolve(&from, wrong), None, "{wrong:?}");
        }
        assert_eq!(axis_of(-1, 4), Some(3));
        assert_eq!(
            [axis_of(4, 4), axis_of(-5, 4), axis_of(i64::MIN, 4)],
            [None; 3]
        );
    }
}
