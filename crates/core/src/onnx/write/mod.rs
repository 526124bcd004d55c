//! A graph as an ONNX file.

mod builder;
mod decode;
mod layers;
mod ops;
mod upsample;

use std::collections::BTreeMap;

use prost::Message;

use self::builder::{Builder, Form, Written};
use super::proto::{
    DimensionProto, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, data_type,
};
use crate::anchors::Head;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Weights};

/// Version of the operators: the first with all that is needed; old enough for what people run.
const OPSET: i64 = 17;

/// Version of the file format that belongs to it.
const IR_VERSION: i64 = 8;

/// Name of the input.
const IMAGE: &str = "image";

/// Name of the number of images, which is never fixed.
const BATCH: &str = "batch";

/// Sizes of images that a file takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// That of the graph only.
    #[default]
    Fixed,
    /// Any that the network can work with.
    Dynamic,
}

/// How deltas become pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoding {
    /// Centre x, centre y, width, height of each anchor, pixels of the input.
    pub anchors: Vec<[f32; 4]>,
    /// What logits and box deltas mean.
    pub head: Head,
    /// Whether landmark deltas are relative to the predicted box rather than to the anchor.
    pub landmarks_in_box: bool,
}

/// What to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Sizes of images.
    pub size: Size,
    /// For `metadata_props`.
    pub metadata: BTreeMap<String, String>,
    /// For a detector of a fixed size: give pixels instead of the graph's outputs.
    pub decoding: Option<Decoding>,
}

/// The graph, perhaps folded and fused, as an ONNX file: opset 17, input `image` `[batch,C,H,W]`,
/// outputs called as the graph's: vectors (of linear layers, flattening and expected places) as
/// `[batch,n]`, rows as `[batch,N,k]`, anything else as `[batch,C,H,W]`.
///
/// With [`Options::decoding`] outputs are `scores` `[batch,N]` (probability of a face), `boxes`
/// `[batch,N,4]` (x1, y1, x2, y2, pixels) and, where the graph has `landmark_deltas`, `landmarks`
/// `[batch,N,L,2]` (pixels) of its `logits`, `box_deltas` and `landmark_deltas`.
///
/// # Errors
/// Names a tensor that is missing or of another shape; a graph with masks (of windows); one without
/// an input or outputs; one that needs its size in a file of any size; and anchors that do not
/// belong to it.
pub fn write(graph: &Graph, weights: &Weights, options: &Options) -> Result<Vec<u8>> {
    let mut builder = Builder::new(options.size);
    let outputs = graph.outputs().iter().map(|(name, _)| name.as_str());
    for name in outputs.chain([IMAGE]).chain(decode::OUTPUTS) {
        builder.reserve(name);
    }
    let mut values: Vec<Written> = Vec::new();
    for (index, node) in graph.nodes().iter().enumerate() {
        if node.op == Op::Input && index != 0 {
            return Err(Error::Onnx(
                "a graph has one image, first of all".to_owned(),
            ));
        }
        let inputs: Vec<&Written> = node.inputs.iter().map(|id| &values[id.0]).collect();
        values.push(builder.node(graph, index, &inputs, weights)?);
    }
    let results: Vec<(String, Written)> = match &options.decoding {
        Some(decoding) => builder.decode(graph, &values, decoding)?,
        None => {
            let outputs = graph.outputs().iter();
            outputs
                .map(|(name, id)| (name.clone(), values[id.0].clone()))
                .collect()
        }
    };
    if results.is_empty() || graph.input_shape() == [0; 3] {
        return Err(Error::Onnx(
            "a graph without an image or without outputs".to_owned(),
        ));
    }
    let names = builder.name_outputs(&results);
    let infos = names.into_iter().zip(&results);
    let proto = GraphProto {
        name: "retinamark".to_owned(),
        input: vec![info(IMAGE.to_owned(), input_dims(graph, options.size))],
        output: infos
            .map(|(name, (_, value))| info(name, output_dims(value)))
            .collect(),
        node: builder.nodes,
        initializer: builder.initializers,
    };
    Ok(model(proto, &options.metadata).encode_to_vec())
}

fn model(graph: GraphProto, metadata: &BTreeMap<String, String>) -> ModelProto {
    let entries = metadata.iter().map(|(key, value)| StringStringEntryProto {
        key: key.clone(),
        value: value.clone(),
    });
    ModelProto {
        ir_version: IR_VERSION,
        producer_name: "retinamark".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: Some(OPSET),
        }],
        metadata_props: entries.collect(),
    }
}

fn fixed(size: usize) -> DimensionProto {
    DimensionProto {
        dim_value: Some(size as i64),
        dim_param: None,
    }
}

fn free(name: &str) -> DimensionProto {
    DimensionProto {
        dim_value: None,
        dim_param: Some(name.to_owned()),
    }
}

fn info(name: String, dim: Vec<DimensionProto>) -> ValueInfoProto {
    let tensor = TensorTypeProto {
        elem_type: data_type::FLOAT,
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name,
        kind: Some(TypeProto {
            tensor_type: Some(tensor),
        }),
    }
}

fn input_dims(graph: &Graph, size: Size) -> Vec<DimensionProto> {
    let [channels, height, width] = graph.input_shape();
    let [height, width] = match size {
        Size::Fixed => [fixed(height), fixed(width)],
        Size::Dynamic => [free("height"), free("width")],
    };
    vec![free(BATCH), fixed(channels), height, width]
}

fn output_dims(value: &Written) -> Vec<DimensionProto> {
    let side = |size: usize, name: &str| match value.varies {
        true => free(&format!("{}.{name}", value.name)),
        false => fixed(size),
    };
    let [first, second, third] = value.shape;
    let mut dims = vec![free(BATCH)];
    dims.extend(match value.form {
        Form::Map => vec![fixed(first), side(second, "height"), side(third, "width")],
        Form::Vector => vec![fixed(first)],
        Form::Rows => vec![side(first, "rows"), fixed(second)],
        Form::Points => vec![fixed(first), fixed(second), fixed(third)],
    });
    dims
}
