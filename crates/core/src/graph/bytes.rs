//! Convolutions in 8 bits: which, and in what tensors that is written down.
//!
//! A convolution `name` is computed in bytes where its weights are multiples of
//! `name.weight_scale` (one for each output, times -127 to 127) and `name.input_scale` and
//! `name.input_zero` say how its input is written: `byte = round(x / scale) + zero`, from 0 to 255.

use std::collections::BTreeMap;

use super::{Graph, Kind, NodeId, Op, Tensor, TensorSpec, Weights};
use crate::error::{Error, Result};
use crate::net::{Conv, Init};

/// Largest weight, as a byte.
const MOST: f32 = 127.0;

/// Fields of a convolution's tensors in bytes, behind its name.
pub const BYTE_FIELDS: [&str; 3] = ["weight_scale", "input_scale", "input_zero"];

/// Whether a tensor says how a convolution is computed in bytes.
pub fn is_byte_field(name: &str) -> bool {
    let field = name.rsplit('.').next();
    field.is_some_and(|field| BYTE_FIELDS.contains(&field))
}

/// Field of a convolution's tensors, behind its name: lowest and highest number of its input, as
/// training in 8 bits met them. It says nothing of how the convolution is computed.
pub const RANGE_FIELD: &str = "input_range";

/// The convolution whose input's range a tensor holds.
pub fn range_of(name: &str) -> Option<&str> {
    let (conv, field) = name.rsplit_once('.')?;
    (field == RANGE_FIELD).then_some(conv)
}

/// How numbers are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteScale {
    /// What the next byte is more.
    pub scale: f32,
    /// The byte of zero.
    pub zero: u8,
}

impl ByteScale {
    /// The finest one that reaches from `low` to `high` and has a byte for zero.
    #[must_use]
    pub fn reaching(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = ((high - low) / 255.0).max(f32::MIN_POSITIVE);
        let zero = (-low / scale).round() as u8;
        Self { scale, zero }
    }

    /// What numbers are multiplied by.
    pub fn factor(self) -> f32 {
        1.0 / self.scale
    }

    /// The byte of `x`, as a number, if there were more than 256.
    fn whole(self, x: f32) -> f32 {
        (x * self.factor()).round_ties_even() + f32::from(self.zero)
    }

    /// Whether `x` has a byte of its own and is not cut off.
    #[must_use]
    pub fn holds(self, x: f32) -> bool {
        (0.0..=255.0).contains(&self.whole(x))
    }

    /// What the byte of `x` stands for.
    #[must_use]
    pub fn rounded(self, x: f32) -> f32 {
        (self.whole(x).clamp(0.0, 255.0) - f32::from(self.zero)) * self.scale
    }
}

/// Weights of so many outputs as multiples (-127 to 127) of a scale for each output; and the scales.
pub fn rounded_weights(weights: &[f32], outputs: usize) -> (Vec<f32>, Vec<f32>) {
    let each = (weights.len() / outputs.max(1)).max(1);
    let (mut rounded, mut scales) = (Vec::with_capacity(weights.len()), Vec::new());
    for row in weights.chunks_exact(each) {
        let largest = row.iter().fold(0.0f32, |most, w| most.max(w.abs()));
        let scale = (largest / MOST).max(f32::MIN_POSITIVE);
        rounded.extend(row.iter().map(|w| (w / scale).round() * scale));
        scales.push(scale);
    }
    (rounded, scales)
}

impl Graph {
    /// All tensors, in the order of the nodes, where the convolutions that `in_bytes` names are
    /// computed in bytes.
    pub fn tensors_in_bytes(&self, in_bytes: impl Fn(&str) -> bool) -> Vec<TensorSpec> {
        let of_conv = |id: NodeId| {
            let node = self.node(id);
            if !in_bytes(&node.name) || !self.is_byte_conv(id) {
                return self.tensors_of(node);
            }
            let outputs = node.shape[0];
            let fields = BYTE_FIELDS.map(|field| TensorSpec {
                name: format!("{}.{field}", node.name),
                shape: vec![if field == "weight_scale" { outputs } else { 1 }],
                kind: Kind::Statistic,
                init: Init::Constant(1.0),
            });
            let mut specs = self.tensors_of(&node.without_norm());
            specs.extend(fields);
            specs
        };
        (0..self.nodes().len())
            .map(NodeId)
            .flat_map(of_conv)
            .collect()
    }

    /// The convolutions that can be computed in bytes: over channels of a map, and no heads, which
    /// cost little and decide everything.
    pub fn byte_convs(&self) -> Vec<NodeId> {
        let ids = (0..self.nodes().len()).map(NodeId);
        ids.filter(|&id| self.is_byte_conv(id)).collect()
    }

    fn is_byte_conv(&self, id: NodeId) -> bool {
        let node = self.node(id);
        let dense = matches!(
            node.op,
            Op::Conv(Conv {
                depthwise: false,
                ..
            })
        );
        let is_head = self
            .nodes()
            .iter()
            .any(|reader| matches!(reader.op, Op::Rows { .. }) && reader.inputs.contains(&id));
        dense && !is_head && self.node(node.inputs[0]).op != Op::Input
    }
}

impl Weights {
    /// Whether convolution `name` is computed in bytes.
    pub fn is_in_bytes(&self, name: &str) -> bool {
        let known = |field| self.0.contains_key(&format!("{name}.{field}"));
        BYTE_FIELDS.into_iter().any(known)
    }

    /// Whether any convolution is computed in bytes.
    pub fn has_bytes(&self) -> bool {
        self.0.keys().any(|name| is_byte_field(name))
    }

    /// Lowest and highest number of the inputs of convolutions, by their names, as training in 8 bits
    /// left them; nothing where there was none.
    ///
    /// # Errors
    /// When a range is none.
    pub fn input_ranges(&self) -> Result<BTreeMap<&str, [f32; 2]>> {
        let ranges = self
            .0
            .iter()
            .filter_map(|(name, tensor)| Some((range_of(name)?, tensor)));
        let range = |(name, tensor): (_, &Tensor)| match tensor.values[..] {
            [low, high] if low <= high && (high - low).is_finite() => Ok((name, [low, high])),
            _ => Err(Error::Network(format!("{name}.{RANGE_FIELD} is no range"))),
        };
        ranges.map(range).collect()
    }

    /// Whether training in 8 bits has left ranges.
    pub fn has_ranges(&self) -> bool {
        self.0.keys().any(|name| range_of(name).is_some())
    }

    /// The tensors of convolution `name`.
    #[must_use]
    pub fn of_conv(&self, name: &str) -> Self {
        let own = |(key, _): &(&String, &Tensor)| {
            let rest = key.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let pairs = self.0.iter().filter(own);
        Self(
            pairs
                .map(|(key, tensor)| (key.clone(), tensor.clone()))
                .collect(),
        )
    }

    /// Other tensors for convolution `name` than it had.
    pub fn replace_conv(&mut self, name: &str, tensors: Self) {
        for key in self.of_conv(name).0.into_keys() {
            self.0.remove(&key);
        }
        self.0.extend(tensors.0);
    }

    /// How the input of convolution `name` is written, if that is computed in bytes.
    ///
    /// # Errors
    /// When only a part of that is known, or it is impossible.
    pub fn byte_scale(&self, name: &str) -> Result<Option<ByteScale>> {
        let field = |field: &str| format!("{name}.{field}");
        if !self.is_in_bytes(name) {
            return Ok(None);
        }
        let scale = self.get(&field("input_scale"), &[1])?[0];
        let zero = self.get(&field("input_zero"), &[1])?[0];
        let scales = self.tensor(&field("weight_scale"))?;
        let fits = scale.is_normal()
            && scale > 0.0
            && (0.0..=255.0).contains(&zero)
            && zero.fract() == 0.0
            && scales
                .values
                .iter()
                .all(|scale| scale.is_normal() && *scale > 0.0);
        if !fits {
            return Err(Error::Network(format!("{name} has impossible scales")));
        }
        let zero = zero as u8;
        Ok(Some(ByteScale { scale, zero }))
    }

    /// Let convolution `name`, which has a bias, be computed in bytes with inputs written like this:
    /// its weights are rounded.
    ///
    /// # Errors
    /// When it has no weights.
    pub fn round_to_bytes(&mut self, name: &str, input: ByteScale) -> Result<()> {
        let weight = self.tensor(&format!("{name}.weight"))?;
        let shape = weight.shape.clone();
        let outputs = shape.first().copied().unwrap_or(0);
        let (rounded, scales) = rounded_weights(&weight.values, outputs);
        let mut set = |field: &str, shape: Vec<usize>, values: Vec<f32>| {
            let tensor = Tensor::new(shape, values)?;
            self.0.insert(format!("{name}.{field}"), tensor);
            Ok(())
        };
        set("weight", shape, rounded)?;
        set("weight_scale", vec![scales.len()], scales)?;
        set("input_scale", vec![1], vec![input.scale])?;
        set("input_zero", vec![1], vec![f32::from(input.zero)])
    }
}

/// The byte of a weight that is a multiple of `scale`.
///
/// # Errors
/// When it is none.
pub fn weight_byte(weight: f32, scale: f32) -> Result<i8> {
    let byte = (weight / scale).round();
    let rest = (byte * scale - weight).abs();
    if byte.abs() <= MOST && rest <= 1e-3 * scale {
        return Ok(byte as i8);
    }
    Err(Error::Network(format!(
        "a weight of {weight} is no byte times {scale}"
    )))
}

#[cfg(test)]
mod tests;
