//! Work of a network.

use std::collections::BTreeMap;

use super::{Graph, Kind, Op};

/// What a part of a network costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiplications, each with its addition, of convolutions and fully connected layers for
    /// one image; norms, activations and sums are left out, as is usual.
    pub multiply_adds: u64,
    /// Learned numbers (running statistics of batch norms are not learned).
    pub parameters: u64,
}

impl Graph {
    /// Cost of each part ([`Graph::parts`]) by name.
    pub fn costs(&self) -> BTreeMap<String, Cost> {
        let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
        for node in self.nodes().iter().filter(|node| !node.name.is_empty()) {
            let cost = costs.entry(node.part().to_owned()).or_default();
            let tensors = self.tensors_of(node);
            let learned = tensors.iter().filter(|t| t.kind == Kind::Learned);
            let numbers = |shape: &[usize]| shape.iter().product::<usize>() as u64;
            cost.parameters += learned.map(|t| numbers(&t.shape)).sum::<u64>();
            if matches!(node.op, Op::Conv(_) | Op::Linear(_)) {
                let places = node.shape[1] * node.shape[2];
                let weight = tensors.first().map_or(0, |t| numbers(&t.shape));
                cost.multiply_adds += weight * places as u64;
            }
        }
        costs
    }
}
