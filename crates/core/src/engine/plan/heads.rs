//! Steps that give rows of anchors.

use super::build::Build;
use crate::engine::plan::roles::Role;
use crate::engine::steps::{CopyRows, DirectConv, Head, Heads};
use crate::error::Result;
use crate::graph::NodeId;
use crate::net::Act;

impl Build<'_> {
    /// All heads of the map `source`.
    pub(super) fn heads(&mut self, source: NodeId) -> Result<()> {
        let graph = self.graph;
        let input = self.read(source)?;
        let readers = self.roles.readers(source).iter().copied();
        let ids: Vec<NodeId> = readers
            .filter(|&id| self.roles.role(id) == Role::Head)
            .collect();
        let mut heads = Vec::new();
        let mut first = 0;
        for &id in &ids {
            self.done[id.0] = true;
            let rows = self.roles.readers(id)[0];
            let channels = graph.node(id).shape[0];
            let head = self.head(rows, id, first);
            heads.push(head);
            first += channels;
        }
        let names: Vec<&str> = ids.iter().map(|id| &*graph.node(*id).name).collect();
        let weights = self.packed.conv(self.isa, self.weights, &names)?;
        self.push(Heads {
            taps: DirectConv::taps(&input, 1),
            acts: vec![Act::None; weights.blocks()],
            input,
            weights,
            heads,
        });
        Ok(())
    }

    /// Where the map `id` goes among the `rows`.
    fn head(&mut self, rows: NodeId, id: NodeId, first: usize) -> Head {
        let graph = self.graph;
        let (buffer, len) = self.places.rows(graph, rows);
        let before = graph.node(rows).inputs.iter().take_while(|&&map| map != id);
        let numbers = |map: &NodeId| graph.node(*map).shape.iter().product::<usize>();
        Head {
            buffer,
            len,
            offset: before.map(numbers).sum(),
            first,
            channels: graph.node(id).shape[0],
        }
    }

    /// Maps that are no heads are copied; heads are there already.
    pub(super) fn rows(&mut self, id: NodeId) -> Result<()> {
        for &map in &self.graph.node(id).inputs {
            if self.roles.role(map) != Role::Head {
                let input = self.read(map)?;
                let head = self.head(id, map, 0);
                self.push(CopyRows { input, head });
            }
        }
        Ok(())
    }
}
