//! Start weights out of ONNX files: their layers are ours where they compute the same of the same.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::TensorData;
use retinamark_core::graph::passes::fuse;
use retinamark_core::graph::{Graph, Node, NodeId, Op, Weights};
use retinamark_core::infer::Scrfd;
use retinamark_core::net::{Act, Conv};
use retinamark_core::onnx;

use super::read::{Named, Tensors};
use crate::config::Config;

/// Sides of an image for which networks are compared: every level has a size of its own.
pub const SAMPLE: [usize; 2] = [96, 128];

/// Whether a file is to be read as ONNX.
pub fn is_onnx(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// The tensors of an SCRFD detector by the names that they have in `own`, our network on an image of
/// [`SAMPLE`]. Boxes are distances in strides there, and in sides of the anchor here.
///
/// # Errors
/// When the file cannot be read, or `config` reads its numbers in another way than it means them.
pub fn tensors(path: &Path, own: &Graph, config: &Config) -> Result<Tensors> {
    check(config)?;
    let model = onnx::read(&std::fs::read(path)?, Some(SAMPLE))?;
    let other = fuse(&model.graph);
    let mut tensors = Tensors::new();
    let mut left: BTreeSet<&String> = model.weights.0.keys().collect();
    for (name, source) in correspondence(&fuse(own), &other) {
        for field in ["weight", "bias"] {
            let source = format!("{source}.{field}");
            let mut named = named(&model.weights, &source)?;
            left.remove(&source);
            if let Some(level) = name.strip_prefix("box_heads.") {
                in_anchor_sides(&mut named.data, level.parse().unwrap_or(0), config)?;
            }
            tensors.insert(format!("{name}.{field}"), named);
        }
    }
    // What is left over is told by its own name (`init.allow_unused`), and is never one of ours, even
    // if it is called so.
    for source in left {
        tensors.insert(
            format!("{source} of the file"),
            named(&model.weights, source)?,
        );
    }
    Ok(tensors)
}

/// Whether the config reads numbers as SCRFD means them.
fn check(config: &Config) -> Result<()> {
    let theirs = Scrfd::meaning();
    let fits = config.head == theirs.head
        && config.anchors == theirs.anchors
        && config.input == theirs.input;
    ensure!(
        fits,
        "an ONNX file has to be an SCRFD detector, whose numbers mean something else than the \
         config says: it needs head: {{kind: quality, boxes: distances}}, anchors.offset: 0 with the usual \
         min_sizes, and input: {{channel_order: rgb, mean: [127.5, 127.5, 127.5], std: [128, 128, 128]}}"
    );
    Ok(())
}

fn named(weights: &Weights, source: &str) -> Result<Named> {
    let tensor = weights.tensor(source)?;
    Ok(Named {
        data: TensorData::new(tensor.values.to_vec(), tensor.shape.clone()),
        source: source.to_owned(),
    })
}

/// Names of layers of `own`, and of those of `other` that do the same with the same: both are walked
/// side by side from the image on. Attention, which begins as the identity, is passed over.
fn correspondence<'a>(own: &'a Graph, other: &'a Graph) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    // For each node of ours its counterpart.
    let mut twins: Vec<Option<NodeId>> = Vec::new();
    let mut taken = vec![false; other.nodes().len()];
    for node in own.nodes() {
        let inputs: Option<Vec<NodeId>> = node.inputs.iter().map(|id| twins[id.0]).collect();
        let twin = match (node.op, inputs) {
            (Op::ScaleChannels, _) => node.inputs.first().and_then(|id| twins[id.0]),
            (_, None) => None,
            (_, Some(inputs)) => twin(node, &inputs, other, &taken),
        };
        if let Some(id) = twin.filter(|_| node.op != Op::ScaleChannels) {
            taken[id.0] = true;
            if !node.name.is_empty() {
                found.push((node.name.as_str(), other.node(id).name.as_str()));
            }
        }
        twins.push(twin);
    }
    found
}

/// The first node of `other` that does what `node` does, with these `inputs`, and is no other's twin.
fn twin(node: &Node, inputs: &[NodeId], other: &Graph, taken: &[bool]) -> Option<NodeId> {
    let same = |candidate: &Node| {
        does(candidate.op, node.op) && candidate.inputs == inputs && candidate.shape == node.shape
    };
    let mut nodes = other.nodes().iter().enumerate();
    let found = nodes.find(|(index, candidate)| !taken[*index] && same(candidate));
    found.map(|(index, _)| NodeId(index))
}

/// Whether `other` does what `own` does; scores may come out of a sigmoid, which is ours elsewhere.
fn does(other: Op, own: Op) -> bool {
    match (other, own) {
        (Op::Conv(other), Op::Conv(own)) => {
            let act = match other.act {
                Act::Sigmoid { scale: 1.0 } => own.act,
                act => act,
            };
            // What it computes; how it starts before training is no matter.
            let same = Conv {
                act,
                weight: own.weight,
                bias: own.bias,
                ends_path: own.ends_path,
                ..other
            };
            same == own
        }
        _ => other == own,
    }
}

/// Rows of a box head, four for each anchor of a place, from strides to sides of the anchor.
fn in_anchor_sides(data: &mut TensorData, level: usize, config: &Config) -> Result<()> {
    let sizes = config.anchors.min_sizes.get(level);
    let sizes = sizes.context("the file has more levels than anchors.min_sizes")?;
    let stride = config.anchors.strides.get(level).copied().unwrap_or(1) as f32;
    let rows = data.shape().first().copied().unwrap_or(0);
    let values = data.as_mut_slice::<f32>();
    let values = values.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let each = values.len() / rows.max(1);
    for (row, values) in values.chunks_exact_mut(each.max(1)).enumerate() {
        let size = sizes.get(row / 4).copied().unwrap_or(stride);
        values.iter_mut().for_each(|value| *value *= stride / size);
    }
    Ok(())
}
