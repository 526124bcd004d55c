//! Layers and activations in ONNX.

use super::builder::{Attribute, Builder, Form, Written};
use crate::error::Result;
use crate::graph::{ByteScale, Graph, Node, Weights, weight_byte};
use crate::net::{Act, Conv, Linear};

/// A tensor of a node: name, shape, numbers.
type Given<'a> = (String, Vec<usize>, &'a [f32]);

/// A graph's tensors of a node.
pub struct Tensors<'a> {
    all: Vec<Given<'a>>,
    /// How a convolution's input is written in bytes, and the scales of its weights, if they are.
    bytes: Option<(ByteScale, &'a [f32])>,
}

impl<'a> Tensors<'a> {
    pub fn of(graph: &Graph, node: &Node, weights: &'a Weights) -> Result<Self> {
        let mut all: Vec<Given<'a>> = Vec::new();
        for spec in graph.tensors_of(node) {
            let values = weights.get(&spec.name, &spec.shape)?;
            all.push((spec.name, spec.shape, values));
        }
        let bytes = match weights.byte_scale(&node.name)? {
            Some(input) => {
                let scales = weights.tensor(&format!("{}.weight_scale", node.name))?;
                Some((input, &scales.values[..]))
            }
            None => None,
        };
        Ok(Self { all, bytes })
    }
}

impl Builder {
    fn given(&mut self, (name, shape, values): &Given<'_>) -> String {
        self.tensor(name, shape, values)
    }

    pub fn all_given(&mut self, tensors: &Tensors<'_>) -> Vec<String> {
        tensors
            .all
            .iter()
            .map(|tensor| self.given(tensor))
            .collect()
    }

    /// `x` rounded to bytes: written as them and read again.
    fn rounded(&mut self, within: &str, x: &str, scale: ByteScale) -> String {
        let step = self.floats("scale", &[], &[scale.scale]);
        let zero = self.byte(scale.zero);
        let bytes = self.emit(within, "QuantizeLinear", &[x, &step, &zero], &[]);
        self.emit(within, "DequantizeLinear", &[&bytes, &step, &zero], &[])
    }

    /// The weights of a convolution in bytes: stored as them.
    fn weights_of_bytes(
        &mut self,
        within: &str,
        (name, shape, values): &Given<'_>,
        scales: &[f32],
    ) -> Result<String> {
        let each = (values.len() / scales.len().max(1)).max(1);
        let rows = values.chunks_exact(each).zip(scales);
        let bytes = rows.flat_map(|(row, &scale)| row.iter().map(move |&v| weight_byte(v, scale)));
        let bytes: Vec<i8> = bytes.collect::<Result<_>>()?;
        let stored = self.bytes(name, shape, &bytes);
        let scales = self.floats(&format!("{name}_scale"), &[scales.len()], scales);
        let axis = [Attribute::Int("axis", 0)];
        Ok(self.emit(within, "DequantizeLinear", &[&stored, &scales], &axis))
    }

    pub fn conv(
        &mut self,
        within: &str,
        conv: &Conv,
        x: &Written,
        added: &[&Written],
        tensors: &Tensors<'_>,
    ) -> Result<String> {
        let mut x_name = self.as_map(x);
        let mut given = Vec::new();
        for (at, tensor) in tensors.all.iter().enumerate() {
            given.push(match (at, tensors.bytes) {
                (0, Some((_, scales))) => self.weights_of_bytes(within, tensor, scales)?,
                _ => self.given(tensor),
            });
        }
        if let Some((scale, _)) = tensors.bytes {
            x_name = self.rounded(within, &x_name, scale);
        }
        // A norm comes with weight, gamma, beta, mean and variance; else weight and bias.
        let (own, norm) = match given.len() {
            5 => given.split_at(1),
            count => given.split_at(count),
        };
        let inputs: Vec<&str> = [&x_name]
            .into_iter()
            .chain(own)
            .map(String::as_str)
            .collect();
        let [kernel, stride, pad] = [conv.kernel, conv.stride, conv.pad()].map(|n| n as i64);
        let groups = if conv.depthwise { x.shape[0] as i64 } else { 1 };
        let attributes = [
            Attribute::Int("group", groups),
            Attribute::Ints("kernel_shape", &[kernel; 2]),
            Attribute::Ints("pads", &[pad; 4]),
            Attribute::Ints("strides", &[stride; 2]),
        ];
        let mut y = self.emit(within, "Conv", &inputs, &attributes);
        if let Some(with) = conv.norm {
            let inputs = [&y].into_iter().chain(norm).map(String::as_str);
            let inputs: Vec<&str> = inputs.collect();
            let epsilon = [Attribute::Float("epsilon", with.epsilon as f32)];
            y = self.emit(within, "BatchNormalization", &inputs, &epsilon);
        }
        for other in added {
            let other = self.as_map(other);
            y = self.emit(within, "Add", &[&y, &other], &[]);
        }
        Ok(self.act(within, &y, conv.act))
    }

    pub fn linear(
        &mut self,
        within: &str,
        linear: &Linear,
        x: &Written,
        tensors: &Tensors<'_>,
    ) -> String {
        let x = self.as_vector(x);
        let given = self.all_given(tensors);
        let inputs: Vec<&str> = [&x].into_iter().chain(&given).map(String::as_str).collect();
        let y = self.emit(within, "Gemm", &inputs, &[]);
        self.act(within, &y, linear.act)
    }

    /// The activation of `x`; the name of `x` itself where there is none.
    pub fn act(&mut self, within: &str, x: &str, act: Act) -> String {
        match act {
            Act::None => x.to_owned(),
            Act::Leaky(0.0) => self.emit(within, "Relu", &[x], &[]),
            Act::Leaky(slope) => self.emit(
                within,
                "LeakyRelu",
                &[x],
                &[Attribute::Float("alpha", slope)],
            ),
            Act::HardSwish => self.emit(within, "HardSwish", &[x], &[]),
            Act::HardSigmoid => {
                let sixth = Attribute::Float("alpha", 1.0 / 6.0);
                self.emit(
                    within,
                    "HardSigmoid",
                    &[x],
                    &[sixth, Attribute::Float("beta", 0.5)],
                )
            }
            Act::Sigmoid { scale } => {
                let y = self.emit(within, "Sigmoid", &[x], &[]);
                if scale == 1.0 {
                    return y;
                }
                let scale = self.float(scale);
                self.emit(within, "Mul", &[&y, &scale], &[])
            }
            Act::Clip { low, high } => {
                let [low, high] = [low, high].map(|bound| match bound.is_finite() {
                    true => self.float(bound),
                    false => String::new(),
                });
                self.emit(within, "Clip", &[x, &low, &high], &[])
            }
        }
    }

    pub fn prelu(&mut self, within: &str, x: &Written, tensors: &Tensors<'_>) -> String {
        // Slopes must broadcast over what follows the channels.
        let behind: &[usize] = match x.form {
            Form::Vector => &[],
            _ => &[1, 1],
        };
        let slopes = tensors.all.iter().map(|(name, shape, values)| {
            let shape = [&shape[..], behind].concat();
            self.tensor(name, &shape, values)
        });
        let slopes: Vec<String> = slopes.collect();
        let inputs = [&x.name].into_iter().chain(&slopes).map(String::as_str);
        let inputs: Vec<&str> = inputs.collect();
        self.emit(within, "PRelu", &inputs, &[])
    }
}
