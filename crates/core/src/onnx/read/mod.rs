//! ONNX files as graphs.

mod constant;
mod conv;
mod fold;
mod layers;
mod merge;
mod operation;
mod pointwise;
mod pool;
mod reader;
mod resize;
mod shapes;
mod value;
mod window;

use std::collections::BTreeMap;

use prost::Message;

use self::constant::Constant;
use self::operation::Operation;
use self::reader::{Reader, is_possible};
use self::value::{Data, Value};
use super::proto::{GraphProto, ModelProto, NodeProto};
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, NodeId, Op, Weights};

/// A network that was read.
#[derive(Clone, Debug)]
pub struct Model {
    /// Neither fused nor with norms that could be folded; outputs in the order and with the names
    /// of the file. The numbers of an output are in the order of the file; its shape is the
    /// graph's.
    pub graph: Graph,
    /// Its tensors.
    pub weights: Weights,
    /// Name of the image in the file.
    pub input: String,
    /// `metadata_props` of the file.
    pub metadata: BTreeMap<String, String>,
}

/// The network of an ONNX file for images of `size` (height, width), which may be left out where
/// the file says it.
///
/// Read are chains of Conv, Gemm, MatMul by constants, BatchNormalization, pooling, Relu,
/// LeakyRelu, PRelu, Clip, HardSwish, HardSigmoid, Sigmoid, sums, products with constants and with
/// channel factors, Concat, nearest Resize and Upsample into a sum, rows of heads (Transpose and
/// Reshape), Softmax over those, and arithmetic of shapes. What a graph has no operation for but
/// other ones can say is said by those: grouped, dilated and oblong convolutions are square ones
/// with zeros, average pooling and per-channel factors are convolutions within channels.
///
/// # Errors
/// A damaged file; an operation that has no counterpart, with its node; sizes that do not fit.
pub fn read(bytes: &[u8], size: Option<[usize; 2]>) -> Result<Model> {
    let model = ModelProto::decode(bytes);
    let model = model.map_err(|error| Error::Onnx(format!("not an ONNX file: {error}")))?;
    let proto = model.graph.unwrap_or_default();
    let opset = model
        .opset_import
        .iter()
        .find(|set| is_standard(&set.domain));
    let opset = opset.and_then(|set| set.version);
    let opset = opset.ok_or_else(|| Error::Onnx("not an ONNX file: no operators".to_owned()))?;
    let mut reader = Reader::new(opset);
    let mut values = initializers(&proto)?;
    let input = reader.input(&proto, &values, size)?;
    values.insert(
        input.clone(),
        Value::Data(Data::map(&reader.graph, NodeId(0))),
    );
    for node in &proto.node {
        reader.node(node, &mut values)?;
    }
    for output in &proto.output {
        reader.output(&output.name, &values)?;
    }
    let (graph, weights) = merge::merge_factors(&reader.graph, reader.weights)?;
    let metadata = model.metadata_props.into_iter();
    Ok(Model {
        graph,
        weights,
        input,
        metadata: metadata.map(|entry| (entry.key, entry.value)).collect(),
    })
}

fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

fn initializers(proto: &GraphProto) -> Result<BTreeMap<String, Value>> {
    let mut values = BTreeMap::new();
    for tensor in &proto.initializer {
        let constant = Constant::of(tensor);
        let constant =
            constant.map_err(|why| Error::Onnx(format!("tensor {}: {why}", tensor.name)))?;
        values.insert(tensor.name.clone(), Value::Constant(constant));
    }
    Ok(values)
}

impl Reader {
    /// The image; its name.
    fn input(
        &mut self,
        proto: &GraphProto,
        values: &BTreeMap<String, Value>,
        size: Option<[usize; 2]>,
    ) -> Result<String> {
        // Old files list initializers among the inputs.
        let mut inputs = proto
            .input
            .iter()
            .filter(|input| !values.contains_key(&input.name));
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return Err(Error::Onnx(
                "only networks with one input are read".to_owned(),
            ));
        };
        let refuse = |why: &str| Error::Onnx(format!("input {}: {why}", input.name));
        let kind = input
            .kind
            .as_ref()
            .and_then(|kind| kind.tensor_type.as_ref());
        let shape = kind.and_then(|tensor| tensor.shape.as_ref());
        let dims = shape.map_or(&[][..], |shape| &shape.dim);
        let [_, channels, height, width] = dims else {
            return Err(refuse("no images [N,C,H,W]"));
        };
        let [channels, height, width] = [channels, height, width].map(|dim| {
            dim.dim_value
                .and_then(|v| usize::try_from(v).ok())
                .filter(|&v| v > 0)
        });
        let channels = channels.ok_or_else(|| refuse("does not say how many channels"))?;
        let own = height.zip(width).map(|(height, width)| [height, width]);
        let Some([height, width]) = size.or(own) else {
            return Err(refuse(
                "takes images of any size; say which it is to be read for",
            ));
        };
        let shape = [channels, height, width];
        if !is_possible(shape) {
            return Err(refuse("impossible size"));
        }
        self.graph.push(Node {
            op: Op::Input,
            inputs: Vec::new(),
            shape,
            name: String::new(),
        });
        Ok(input.name.clone())
    }

    /// What a node gives, as a value.
    fn node(&mut self, proto: &NodeProto, values: &mut BTreeMap<String, Value>) -> Result<()> {
        let mut op = Operation {
            proto,
            inputs: Vec::new(),
            opset: self.opset,
        };
        for name in &proto.input {
            let value = values.get(name).cloned();
            if value.is_none() && !name.is_empty() {
                return Err(op.refuse(format!("nothing before it gives its input {name}")));
            }
            op.inputs.push(value);
        }
        if !is_standard(&proto.domain) {
            return Err(op.refuse(format!("operators of {} are not read", proto.domain)));
        }
        let value = match self.fold(&op)? {
            Some(constant) => Value::Constant(constant),
            None => Value::Data(self.data(&op)?),
        };
        if let Some(output) = proto.output.first() {
            values.insert(output.clone(), value);
        }
        Ok(())
    }

    /// What an operation makes of what depends on the image.
    fn data(&mut self, op: &Operation<'_>) -> Result<Data> {
        match op.kind() {
            "Conv" => self.conv(op),
            "Gemm" => self.gemm(op),
            "MatMul" => self.mat_mul(op),
            "BatchNormalization" => self.batch_norm(op),
            "PRelu" => self.prelu(op),
            "MaxPool" => self.max_pool(op),
            "AveragePool" => self.average_pool(op),
            "GlobalAveragePool" | "ReduceMean" => self.mean(op),
            "Relu" | "LeakyRelu" | "Clip" | "HardSwish" | "HardSigmoid" | "Sigmoid" => {
                self.activation(op)
            }
            "Softmax" => self.softmax(op),
            "Add" | "Sub" => self.sum(op),
            "Mul" | "Div" => self.product(op),
            "Concat" => self.concat(op),
            "Resize" | "Upsample" => self.resize(op),
            "Transpose" => self.transpose(op),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape(op),
            // What training needs only.
            "Identity" | "Dropout" | "Cast" => Ok(op.data(0)?.clone()),
            _ => Err(op.refuse("this operation is not supported")),
        }
    }

    fn output(&mut self, name: &str, values: &BTreeMap<String, Value>) -> Result<()> {
        let Some(Value::Data(data)) = values.get(name) else {
            return Err(Error::Onnx(format!(
                "output {name} does not come of the image"
            )));
        };
        let id = self.whole(data);
        let id = id.ok_or_else(|| Error::Onnx(format!("output {name} has no counterpart")))?;
        self.graph.name_output(name, id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
