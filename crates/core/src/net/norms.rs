//! Networks with and without batch norms.

use super::{Act, Conv, Linear, Ops, Pool};

/// [`Ops`] in which convolutions have a bias instead of the batch norm of their description, unless
/// norms are `kept`.
#[derive(Debug)]
pub(super) struct Norms<'a, O> {
    /// What computes or writes down.
    pub(super) ops: &'a mut O,
    /// Whether there are norms.
    pub(super) kept: bool,
}

impl<O: Ops> Ops for Norms<'_, O> {
    type Value = O::Value;

    fn conv(&mut self, name: &str, x: &O::Value, conv: Conv) -> O::Value {
        let conv = if self.kept { conv } else { conv.unnormed() };
        self.ops.conv(name, x, conv)
    }

    fn linear(&mut self, name: &str, x: &O::Value, linear: Linear) -> O::Value {
        self.ops.linear(name, x, linear)
    }

    fn act(&mut self, x: &O::Value, act: Act) -> O::Value {
        self.ops.act(x, act)
    }

    fn add(&mut self, a: &O::Value, b: &O::Value) -> O::Value {
        self.ops.add(a, b)
    }

    fn upsample_add(&mut self, small: &O::Value, large: &O::Value) -> O::Value {
        self.ops.upsample_add(small, large)
    }

    fn scale_channels(&mut self, x: &O::Value, factor: &O::Value) -> O::Value {
        self.ops.scale_channels(x, factor)
    }

    fn mean(&mut self, x: &O::Value) -> O::Value {
        self.ops.mean(x)
    }

    fn max_pool(&mut self, x: &O::Value, pool: Pool) -> O::Value {
        self.ops.max_pool(x, pool)
    }

    fn concat(&mut self, parts: &[O::Value]) -> O::Value {
        self.ops.concat(parts)
    }

    fn flatten(&mut self, parts: &[O::Value]) -> O::Value {
        self.ops.flatten(parts)
    }

    fn rows(&mut self, maps: &[O::Value], k: usize) -> O::Value {
        self.ops.rows(maps, k)
    }

    fn expected_places(&mut self, name: &str, maps: &O::Value, reach: f32) -> O::Value {
        self.ops.expected_places(name, maps, reach)
    }

    fn mask(&mut self, x: &O::Value, margin: usize) -> O::Value {
        self.ops.mask(x, margin)
    }
}
