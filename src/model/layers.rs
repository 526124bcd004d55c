//! What of a network learns: burn's layers under the names of their tensors.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use retinamark_core::graph::{Graph, Node, NodeId, Op, TensorSpec};
use retinamark_core::net::{self, Init};

/// What the components of names are to those who visit modules.
const CONTAINER: &str = "Struct:Layers";

/// A convolution without bias, and its batch norm.
#[derive(Module, Debug)]
pub(super) struct Normed {
    pub(super) conv: Conv2d,
    pub(super) norm: BatchNorm,
}

/// The tensors of one node of a graph.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "burn has no boxed modules, and a network has about a hundred of these"
)]
pub(super) enum Layer {
    /// Convolution and batch norm.
    Normed(Normed),
    /// Convolution with a bias.
    Conv(Conv2d),
    /// Fully connected.
    Linear(Linear),
    /// A number for each channel and pixel of a map, `[C,H*W]`.
    Table(Param<Tensor<2>>),
}

impl Layer {
    /// With the start values that `node` asks for; nothing for a node without tensors.
    fn of(graph: &Graph, node: &Node, device: &Device) -> Option<Self> {
        let [channels, height, width] = graph.node(*node.inputs.first()?).shape;
        let pixels = height * width;
        Some(match &node.op {
            Op::Conv(conv) => Self::of_conv(channels, conv, device),
            Op::Linear(linear) => Self::of_linear(channels * pixels, linear, device),
            Op::ExpectedPlaces { .. } => {
                Self::Table(Initializer::Zeros.init([channels, pixels], device))
            }
            _ => return None,
        })
    }

    /// A copy on another device with running statistics of its own, which burn's copies share.
    pub(super) fn replica(&self, device: &Device) -> Self {
        let mut copy = self.clone();
        if let Self::Normed(Normed { norm, .. }) = &mut copy {
            for running in [&mut norm.running_mean, &mut norm.running_var] {
                *running = RunningState::new(running.value_sync());
            }
        }
        copy.fork(device)
    }

    fn of_conv(from: usize, spec: &net::Conv, device: &Device) -> Self {
        let pad = spec.pad();
        let conv = Conv2dConfig::new([from, spec.to], [spec.kernel; 2])
            .with_stride([spec.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_groups(if spec.depthwise { from } else { 1 })
            .with_initializer(start(spec.weight))
            .with_bias(false)
            .init(device);
        let Some(norm) = spec.norm else {
            let inputs = conv.weight.lazy_shape().iter().skip(1).product();
            let bias = start(spec.bias).init_with([spec.to], Some(inputs), Some(spec.to), device);
            return Self::Conv(Conv2d {
                bias: Some(bias),
                ..conv
            });
        };
        let norm = BatchNormConfig::new(spec.to)
            .with_epsilon(norm.epsilon)
            .with_momentum(norm.momentum)
            .init(device);
        Self::Normed(Normed { conv, norm })
    }

    fn of_linear(from: usize, spec: &net::Linear, device: &Device) -> Self {
        let to = spec.to;
        let weight = start(spec.weight).init_with([from, to], Some(from), Some(to), device);
        let bias = start(spec.bias).init_with([to], Some(from), Some(to), device);
        Self::Linear(Linear {
            weight,
            bias: Some(bias),
        })
    }
}

fn start(init: Init) -> Initializer {
    match init {
        Init::Uniform { gain } => Initializer::KaimingUniform {
            gain: gain / 3.0f64.sqrt(),
            fan_out_only: false,
        },
        Init::Constant(value) => Initializer::Constant {
            value: f64::from(value),
        },
    }
}

/// All layers of a network, in [`order`].
#[derive(Clone, Debug)]
pub(super) struct Layers {
    layers: Vec<Layer>,
    index: Arc<Index>,
}

/// Which layer is what: the same for all copies of a network.
#[derive(Debug)]
struct Index {
    graph: Graph,
    /// Of each layer.
    nodes: Vec<NodeId>,
    /// Of each name.
    places: HashMap<String, usize>,
}

impl Layers {
    /// With the start values that `graph` asks for.
    pub(super) fn new(graph: Graph, device: &Device) -> Self {
        let (mut nodes, mut layers) = (Vec::new(), Vec::new());
        let mut places = HashMap::new();
        for id in order(&graph) {
            let node = graph.node(id);
            if let Some(layer) = Layer::of(&graph, node, device) {
                places.insert(node.name.clone(), layers.len());
                nodes.push(id);
                layers.push(layer);
            }
        }
        let index = Index {
            graph,
            nodes,
            places,
        };
        Self {
            layers,
            index: Arc::new(index),
        }
    }

    /// The layer of this name, which a node of the graph must have.
    pub(super) fn get(&self, name: &str) -> &Layer {
        &self.layers[self.index.places[name]]
    }

    /// What the layers were made for, at some size of input.
    pub(super) fn graph(&self) -> &Graph {
        &self.index.graph
    }

    /// All tensors, in the order in which they are visited.
    pub(super) fn tensors(&self) -> Vec<TensorSpec> {
        let graph = self.graph();
        let nodes = self.index.nodes.iter();
        nodes
            .flat_map(|&id| graph.tensors_of(graph.node(id)))
            .collect()
    }

    /// Whether any batch norm is left.
    pub(super) fn has_norms(&self) -> bool {
        let mut layers = self.layers.iter();
        layers.any(|layer| matches!(layer, Layer::Normed(_)))
    }

    /// Visits every layer under the components of its name.
    pub(super) fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        for (layer, &id) in self.layers.iter().zip(&self.index.nodes) {
            let name = &self.graph().node(id).name;
            name.split('.')
                .for_each(|part| visitor.enter_module(part, CONTAINER));
            layer.visit(visitor);
            name.rsplit('.')
                .for_each(|part| visitor.exit_module(part, CONTAINER));
        }
    }

    /// Maps every layer under the components of its name.
    pub(super) fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        self.each(|name, layer| {
            name.split('.')
                .for_each(|part| mapper.enter_module(part, CONTAINER));
            let layer = layer.map(mapper);
            name.rsplit('.')
                .for_each(|part| mapper.exit_module(part, CONTAINER));
            layer
        })
    }

    /// Every layer replaced by what `change` makes of its name and itself.
    pub(super) fn each(self, mut change: impl FnMut(&str, Layer) -> Layer) -> Self {
        let Self { layers, index } = self;
        let named = layers.into_iter().zip(&index.nodes);
        let layers = named
            .map(|(layer, &id)| change(&index.graph.node(id).name, layer))
            .collect();
        Self { layers, index }
    }

    /// The layers by themselves.
    pub(super) fn all(&self) -> &Vec<Layer> {
        &self.layers
    }
}

/// The named nodes as a reader would list them: part by part, whatever is numbered by number, all
/// else as it first appears. Checkpoints count the updates of tensors in this order, so that it must
/// not follow the order of computation, in which a pyramid begins at its top.
fn order(graph: &Graph) -> Vec<NodeId> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut keyed = Vec::new();
    for (at, node) in graph.nodes().iter().enumerate() {
        if node.name.is_empty() {
            continue;
        }
        let dots = node.name.match_indices('.').map(|(dot, _)| dot);
        let key = dots.chain([node.name.len()]).map(|end| {
            let path = &node.name[..end];
            let last = path.rsplit('.').next().unwrap_or_default();
            last.parse()
                .unwrap_or_else(|_| *first.entry(path).or_insert(at))
        });
        keyed.push((key.collect::<Vec<usize>>(), NodeId(at)));
    }
    keyed.sort();
    keyed.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use retinamark_core::graph::Trace;
    use retinamark_core::net::{Conv, Ops};

    #[test]
    fn layers_are_listed_by_part_and_number() {
        let (mut trace, x) = Trace::of([4, 8, 8]);
        for name in [
            "stem",
            "fpn.merge.1",
            "fpn.b.10",
            "fpn.b.2",
            "ssh.1.b",
            "ssh.0.b",
        ] {
            trace.conv(name, &x, Conv::head(4));
        }
        trace.conv("fpn.merge.0", &x, Conv::head(4));
        trace.conv("ssh.0.a", &x, Conv::head(4));
        let graph = trace.finish(&[]);
        let order = order(&graph);
        let names: Vec<&str> = order.iter().map(|&id| &*graph.node(id).name).collect();
        let expected = [
            "stem",
            "fpn.merge.0",
            "fpn.merge.1",
            "fpn.b.2",
            "fpn.b.10",
            "ssh.0.b",
            "ssh.0.a",
            "ssh.1.b",
        ];
        assert_eq!(names, expected);
    }
}
