//! What the detector and the aligner have in common: layers, and a description of what is done with
//! them.

use std::fmt::Debug;

use anyhow::{Context, Result, ensure};
use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn::tensor::Device;
use retinamark_core::graph::{self, Graph, RANGE_FIELD, TensorSpec, Weights, passes};
use retinamark_core::infer::Program;

use super::bytes::{Bytes, InputRanges};
use super::forward::Forward;
use super::layers::Layers;
use super::tensors;
use crate::config::{Config, Settings, Task};

/// Size of images that names, kinds and shapes of all tensors can be told at: any would do.
const ANY_SIZE: [usize; 2] = [64, 64];

/// A network that is trained, saved and loaded.
pub trait Network: Module {
    /// The task that trains it.
    const TASK: Task;

    /// The network that `config` describes, with random weights from `device`'s generator.
    ///
    /// # Errors
    /// When [`Config::validate`] finds an impossible setting: names its key.
    fn new(config: &Config, device: &Device) -> Result<Self>;

    /// What `config` describes, on images of `size` (height, width).
    ///
    /// # Errors
    /// As [`Network::new`].
    fn described(config: &Config, size: [usize; 2]) -> Result<Graph>;

    /// What the executor runs of the network that `settings` describe.
    ///
    /// # Errors
    /// When the settings contradict themselves.
    fn program(settings: &Settings) -> retinamark_core::Result<Program>;

    /// The network on images of `size` (height, width); an aligner sees crops of one size only.
    /// [`Network::weights`] are the weights of this graph.
    fn graph(&self, size: [usize; 2]) -> Graph;

    /// All tensors, in the order in which they are visited.
    fn tensors(&self) -> Vec<TensorSpec>;

    /// The numbers of all tensors; of a network [`Network::in_bytes`] also those of the ranges, as
    /// [`retinamark_core::calibrate::of_ranges`] wants them.
    ///
    /// # Errors
    /// When the device does not give them.
    fn weights(&self) -> Result<Weights>;

    /// The same function with batch norms folded into convolutions: faster, for inference only.
    /// Take it of a [`Module::valid`] model.
    ///
    /// # Errors
    /// As [`Network::weights`].
    fn fold(self) -> Result<Self>;

    /// Whether [`Network::fold`] was called on a network with batch norms.
    fn is_folded(&self) -> bool;

    /// A copy on `device` that learns by itself: the same parameters, running statistics of its own.
    fn replica(&self, device: &Device) -> Self;

    /// The same network with the convolutions that `ranges` names computing what the executor
    /// computes in 8 bits, and all batch norms with the running statistics that they have now. While
    /// gradients are computed, ranges follow what these convolutions read.
    #[must_use]
    fn in_bytes(self, ranges: InputRanges) -> Self;

    /// The ranges as they are now; `None` where nothing is in 8 bits.
    fn input_ranges(&self) -> Option<InputRanges>;

    /// Switch learning of the `parts` off (no gradients, batch norms use and keep their running
    /// statistics) and of all others on.
    ///
    /// # Errors
    /// When there is no such part: lists those that there are.
    fn freeze_parts(self, parts: &[&str]) -> Result<Self>;
}

/// A description of a network in terms of [`retinamark_core::net`].
pub trait Describe: Clone + Debug + Send + 'static {
    /// The task that trains it.
    const TASK: Task;

    /// What a valid `config` describes.
    ///
    /// # Errors
    /// When it contradicts itself after all.
    fn describe(config: &Config) -> Result<Self>;

    /// The whole network on images of `size` (height, width), with all that ever learns.
    fn trace(&self, size: [usize; 2]) -> Graph;

    /// What the executor runs of the network that `settings` describe.
    ///
    /// # Errors
    /// When the settings contradict themselves.
    fn program(settings: &Settings) -> retinamark_core::Result<Program>;
}

/// A network on burn's tensors, of which `D` says what it is.
#[derive(Clone, Debug)]
pub struct Model<D> {
    pub(super) description: D,
    pub(super) layers: Layers,
    pub(super) bytes: Option<Bytes>,
}

impl<D> Model<D> {
    /// What computes with its layers: its own description or a part of it.
    ///
    /// # Panics
    /// When used by another description, which asks for layers that there are not.
    pub const fn forward_ops(&self) -> Forward<'_> {
        Forward::new(&self.layers, self.bytes.as_ref())
    }

    fn with_layers(self, change: impl FnOnce(Layers) -> Layers) -> Self {
        Self {
            layers: change(self.layers),
            ..self
        }
    }
}

/// The layers' paths are the names of their tensors, as in weights files; a derived implementation
/// would put the names of fields before them.
impl<D: Describe> Module for Model<D> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.layers.all().collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.with_layers(|layers| layers.each(|_, layer| layer.fork(device)))
    }

    fn to_device(self, device: &Device) -> Self {
        self.with_layers(|layers| layers.each(|_, layer| layer.to_device(device)))
    }

    fn train(self) -> Self {
        self.with_layers(|layers| layers.each(|_, layer| layer.train()))
    }

    fn valid(&self) -> Self {
        let valid = |layers: Layers| layers.each(|_, layer| layer.valid());
        let valid = self.clone().with_layers(valid);
        Self {
            // Its own ranges: those of the network that trains move on.
            bytes: self.input_ranges().map(Bytes::new),
            ..valid
        }
    }

    fn materialize(self) -> Self {
        self.with_layers(|layers| layers.each(|_, layer| layer.materialize()))
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.layers.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        self.with_layers(|layers| layers.map(mapper))
    }
}

impl<D: Describe> Network for Model<D> {
    const TASK: Task = D::TASK;

    fn new(config: &Config, device: &Device) -> Result<Self> {
        config.validate()?;
        let description = D::describe(config)?;
        let layers = Layers::new(description.trace(ANY_SIZE), device);
        Ok(Self {
            description,
            layers,
            bytes: None,
        })
    }

    fn described(config: &Config, size: [usize; 2]) -> Result<Graph> {
        config.validate()?;
        Ok(D::describe(config)?.trace(size))
    }

    fn program(settings: &Settings) -> retinamark_core::Result<Program> {
        D::program(settings)
    }

    fn graph(&self, size: [usize; 2]) -> Graph {
        let graph = self.description.trace(size);
        if self.layers.has_norms() {
            graph
        } else {
            passes::without_norms(&graph)
        }
    }

    fn tensors(&self) -> Vec<TensorSpec> {
        self.layers.tensors()
    }

    fn weights(&self) -> Result<Weights> {
        let mut weights = tensors::weights(self)?;
        for (name, range) in self.input_ranges().into_iter().flatten() {
            if range.batches > 0 {
                let tensor = graph::Tensor::new(vec![2], vec![range.low, range.high])?;
                weights.0.insert(format!("{name}.{RANGE_FIELD}"), tensor);
            }
        }
        Ok(weights)
    }

    fn fold(self) -> Result<Self> {
        let device = self.devices().into_iter().next();
        let device = device.context("a network without tensors")?;
        let (graph, weights) = passes::fold_norms(self.layers.graph(), &self.weights()?)?;
        let folded = Self {
            layers: Layers::new(graph, &device),
            ..self
        };
        tensors::assign_weights(folded, &weights)
    }

    fn is_folded(&self) -> bool {
        !self.layers.has_norms() && self.description.trace(ANY_SIZE).has_norms()
    }

    fn in_bytes(self, ranges: InputRanges) -> Self {
        Self {
            bytes: Some(Bytes::new(ranges)),
            ..self
        }
    }

    fn input_ranges(&self) -> Option<InputRanges> {
        self.bytes.as_ref().map(Bytes::ranges)
    }

    fn replica(&self, device: &Device) -> Self {
        let replica = |layers: Layers| layers.each(|_, layer| layer.replica(device));
        self.clone().with_layers(replica)
    }

    fn freeze_parts(self, parts: &[&str]) -> Result<Self> {
        let known = self.layers.graph().parts();
        for part in parts {
            ensure!(
                known.contains(part),
                "optimizer.freeze: the network has no part {part:?}; its parts are {}",
                known.join(", ")
            );
        }
        let freeze = |layers: Layers| {
            layers.each(|name, layer| match name.split('.').next() {
                Some(part) if parts.contains(&part) => layer.freeze(),
                _ => layer.unfreeze(),
            })
        };
        Ok(self.with_layers(freeze))
    }
}
