//! Nodes, constants and names of a file in the making.

use std::collections::{BTreeMap, BTreeSet};

use super::Size;
use crate::graph::Shape;
use crate::onnx::proto::{AttributeProto, NodeProto, TensorProto, attribute_type, data_type};

/// Shape of what ONNX calls a value, beside what the graph says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `[B,C,H,W]`.
    Map,
    /// `[B,n]`.
    Vector,
    /// `[B,N,k]`.
    Rows,
    /// `[B,N,L,2]`: only of decoding.
    Points,
}

/// A value of a file.
#[derive(Clone, Debug)]
pub struct Written {
    /// As the file calls it.
    pub name: String,
    /// Shape in the file.
    pub form: Form,
    /// Shape in the graph.
    pub shape: Shape,
    /// Whether its size depends on that of the image, which is not fixed.
    pub varies: bool,
}

/// A setting of a node.
pub enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, &'a [i64]),
    Float(&'a str, f32),
    Text(&'a str, &'a str),
}

/// A file in the making.
pub struct Builder {
    pub nodes: Vec<NodeProto>,
    pub initializers: Vec<TensorProto>,
    pub size: Size,
    taken: BTreeSet<String>,
    /// Names of tensors of the weights by their names there and shapes.
    tensors: BTreeMap<(String, Vec<i64>), String>,
    /// Names of constants by type, shape and bytes.
    constants: BTreeMap<(i32, Vec<i64>, Vec<u8>), String>,
}

impl Builder {
    pub fn new(size: Size) -> Self {
        Self {
            nodes: Vec::new(),
            initializers: Vec::new(),
            size,
            taken: BTreeSet::new(),
            tensors: BTreeMap::new(),
            constants: BTreeMap::new(),
        }
    }

    /// Let nothing else be called so.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// `wanted`, with a number where something is called so already.
    fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }

    /// A node with one output, `within` a part of the network; the output's name.
    pub fn emit(
        &mut self,
        within: &str,
        op_type: &str,
        inputs: &[&str],
        attributes: &[Attribute<'_>],
    ) -> String {
        let name = self.unique(&format!("{within}/{op_type}"));
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op_type.to_owned(),
            attribute: attributes.iter().map(attribute).collect(),
            domain: String::new(),
        });
        name
    }

    /// A tensor of the weights, once however many nodes read it; its name.
    pub fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let dims: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let key = (name.to_owned(), dims.clone());
        if let Some(known) = self.tensors.get(&key) {
            return known.clone();
        }
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let new = self.initializer(name, data_type::FLOAT, dims, bytes);
        self.tensors.insert(key, new.clone());
        new
    }

    /// Signed bytes of the weights; their name.
    pub fn bytes(&mut self, name: &str, shape: &[usize], values: &[i8]) -> String {
        let dims = shape.iter().map(|&size| size as i64).collect();
        let bytes = values.iter().map(|byte| byte.cast_unsigned()).collect();
        self.constant(name, data_type::INT8, dims, bytes)
    }

    /// An unsigned byte.
    pub fn byte(&mut self, value: u8) -> String {
        self.constant("zero", data_type::UINT8, Vec::new(), vec![value])
    }

    /// Numbers that are not of the weights.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let dims = shape.iter().map(|&size| size as i64).collect();
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(name, data_type::FLOAT, dims, bytes)
    }

    /// A number.
    pub fn float(&mut self, value: f32) -> String {
        self.floats("number", &[], &[value])
    }

    /// A list of whole numbers, for shapes.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant("shape", data_type::INT64, vec![values.len() as i64], bytes)
    }

    /// A whole number.
    pub fn int(&mut self, value: i64) -> String {
        let bytes = value.to_le_bytes().to_vec();
        self.constant("index", data_type::INT64, Vec::new(), bytes)
    }

    /// The same numbers in the same shape are there once, called as at first.
    fn constant(&mut self, name: &str, kind: i32, dims: Vec<i64>, bytes: Vec<u8>) -> String {
        let key = (kind, dims.clone(), bytes.clone());
        if let Some(known) = self.constants.get(&key) {
            return known.clone();
        }
        let new = self.initializer(name, kind, dims, bytes);
        self.constants.insert(key, new.clone());
        new
    }

    fn initializer(
        &mut self,
        wanted: &str,
        data_type: i32,
        dims: Vec<i64>,
        raw_data: Vec<u8>,
    ) -> String {
        let name = self.unique(wanted);
        self.initializers.push(TensorProto {
            dims,
            data_type,
            name: name.clone(),
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    /// Values renamed as the outputs that they are; a value's second output is a copy. The outputs'
    /// names.
    pub fn name_outputs(&mut self, outputs: &[(String, Written)]) -> Vec<String> {
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in outputs {
            let is_input = value.name == super::IMAGE;
            if is_input || renamed.contains_key(&value.name) {
                self.nodes.push(NodeProto {
                    input: vec![value.name.clone()],
                    output: vec![name.clone()],
                    name: name.clone(),
                    op_type: "Identity".to_owned(),
                    ..NodeProto::default()
                });
            } else {
                renamed.insert(value.name.clone(), name.clone());
            }
        }
        for node in &mut self.nodes {
            for value in node.input.iter_mut().chain(&mut node.output) {
                if let Some(name) = renamed.get(value) {
                    value.clone_from(name);
                }
            }
        }
        outputs.iter().map(|(name, _)| name.clone()).collect()
    }
}

fn attribute(attribute: &Attribute<'_>) -> AttributeProto {
    let (name, kind) = match *attribute {
        Attribute::Int(name, _) => (name, attribute_type::INT),
        Attribute::Ints(name, _) => (name, attribute_type::INTS),
        Attribute::Float(name, _) => (name, attribute_type::FLOAT),
        Attribute::Text(name, _) => (name, attribute_type::STRING),
    };
    let mut proto = AttributeProto {
        name: name.to_owned(),
        kind,
        ..AttributeProto::default()
    };
    match *attribute {
        Attribute::Int(_, value) => proto.i = Some(value),
        Attribute::Ints(_, values) => proto.ints = values.to_vec(),
        Attribute::Float(_, value) => proto.f = Some(value),
        Attribute::Text(_, value) => proto.s = Some(value.as_bytes().to_vec()),
    }
    proto
}
