//! Where values lie.

use super::roles::{Role, Roles};
use crate::engine::layout::{Map, Place};
use crate::engine::steps::Step;
use crate::graph::{Graph, NodeId, Op};

/// Places of all nodes, as far as known, and the numbers of an image in each buffer.
#[derive(Debug)]
pub struct Places {
    lanes: usize,
    pads: Vec<usize>,
    places: Vec<Option<Place>>,
    /// Numbers of an image in each buffer.
    pub buffers: Vec<usize>,
}

impl Places {
    /// None yet.
    pub fn new(graph: &Graph, roles: &Roles, lanes: usize) -> Self {
        let mut pads = vec![0; graph.nodes().len()];
        for node in graph.nodes() {
            if let Op::Conv(conv) = node.op {
                let read = node.inputs[0].0;
                pads[read] = conv.pad().max(pads[read]);
            }
        }
        // What lies in one buffer has one border: also what is written over.
        for (index, node) in graph.nodes().iter().enumerate().rev() {
            match node.op {
                Op::Act(_) | Op::Add(_) | Op::PRelu | Op::ScaleChannels | Op::Mask { .. } => {
                    let first = node.inputs[0].0;
                    pads[first] = pads[first].max(pads[index]);
                }
                Op::UpsampleAdd => {
                    let large = node.inputs[1].0;
                    pads[large] = pads[large].max(pads[index]);
                }
                Op::Concat if roles.role(NodeId(index)) == Role::Parts => {
                    let parts = node.inputs.iter().map(|part| pads[part.0]);
                    let widest = parts.max().unwrap_or(0).max(pads[index]);
                    pads[index] = widest;
                    for part in &node.inputs {
                        pads[part.0] = widest;
                    }
                }
                _ => {}
            }
        }
        Self {
            lanes,
            pads,
            places: vec![None; graph.nodes().len()],
            buffers: Vec::new(),
        }
    }

    /// Of a node, if known.
    pub fn get(&self, id: NodeId) -> Option<Place> {
        self.places[id.0]
    }

    /// It is there.
    pub fn set(&mut self, id: NodeId, place: Place) {
        self.places[id.0] = Some(place);
    }

    /// The map of a node: where it is, or a new buffer (that of the whole, of a part).
    pub fn map(&mut self, graph: &Graph, roles: &Roles, id: NodeId) -> Map {
        if let Some(Place::Map(map)) = self.places[id.0] {
            return map;
        }
        let whole = roles.readers(id).iter().copied();
        let whole = whole
            .filter(|&reader| roles.role(reader) == Role::Parts)
            .min();
        let map = match whole {
            Some(whole) => self.part(graph, roles, id, whole),
            None => self.new_map(graph, id),
        };
        self.set(id, Place::Map(map));
        map
    }

    fn new_map(&mut self, graph: &Graph, id: NodeId) -> Map {
        let mut map = Map {
            buffer: self.buffers.len(),
            shape: graph.node(id).shape,
            pad: self.pads[id.0],
            lanes: self.lanes,
            first_block: 0,
            buffer_blocks: 0,
        };
        map.buffer_blocks = map.blocks();
        self.buffers.push(map.image());
        map
    }

    fn part(&mut self, graph: &Graph, roles: &Roles, id: NodeId, whole: NodeId) -> Map {
        let buffer = self.map(graph, roles, whole);
        let before = graph
            .node(whole)
            .inputs
            .iter()
            .take_while(|&&part| part != id);
        let channels: usize = before.map(|&part| graph.node(part).shape[0]).sum();
        Map {
            shape: graph.node(id).shape,
            first_block: buffer.first_block + channels / self.lanes,
            ..buffer
        }
    }

    /// The rows of a node: where they are, or a new buffer.
    pub fn rows(&mut self, graph: &Graph, id: NodeId) -> (usize, usize) {
        if let Some(Place::Rows { buffer, len }) = self.places[id.0] {
            return (buffer, len);
        }
        let len = graph.node(id).shape.iter().product();
        let buffer = self.buffers.len();
        self.buffers.push(len);
        self.set(id, Place::Rows { buffer, len });
        (buffer, len)
    }
}

/// Slots for buffers, so that those that are not needed at the same time share one: slot of each
/// buffer and numbers of an image in each slot. `kept` are needed to the end.
pub fn share(
    steps: &[Box<dyn Step>],
    buffers: &[usize],
    kept: &[usize],
) -> (Vec<usize>, Vec<usize>) {
    let mut last = vec![0; buffers.len()];
    for (at, step) in steps.iter().enumerate() {
        for buffer in step.reads().into_iter().chain(step.writes()) {
            last[buffer] = at;
        }
    }
    for &buffer in kept {
        last[buffer] = usize::MAX;
    }
    let mut slot_of = vec![usize::MAX; buffers.len()];
    let mut slots: Vec<usize> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        for buffer in step.writes() {
            if slot_of[buffer] == usize::MAX {
                slot_of[buffer] = take_slot(&mut free, &mut slots, buffers[buffer]);
            }
        }
        let mut ends: Vec<usize> = step.reads();
        ends.extend(step.writes());
        ends.sort_unstable();
        ends.dedup();
        free.extend(
            ends.into_iter()
                .filter(|&b| last[b] == at)
                .map(|b| slot_of[b]),
        );
    }
    (slot_of, slots)
}

/// The smallest free slot that is large enough, else the largest one, enlarged; else a new one.
fn take_slot(free: &mut Vec<usize>, slots: &mut Vec<usize>, len: usize) -> usize {
    let fits = (0..free.len()).filter(|&i| slots[free[i]] >= len);
    let best = fits.min_by_key(|&i| slots[free[i]]);
    let best = best.or_else(|| (0..free.len()).max_by_key(|&i| slots[free[i]]));
    match best {
        Some(i) => {
            let slot = free.swap_remove(i);
            slots[slot] = slots[slot].max(len);
            slot
        }
        None => {
            slots.push(len);
            slots.len() - 1
        }
    }
}
