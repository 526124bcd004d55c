use anyhow::Result;

use super::{TaskKind, View};
use crate::anchors::{Anchors, TargetBuilder, Targets, Truth};
use crate::config::Config;

/// An aligner has to say where points lie that a poor crop cuts off; share of the crop's side.
const MARGIN: f32 = 0.25;

/// The second look: the crop of one face is the only anchor.
#[derive(Debug)]
pub(super) struct Align;

impl TaskKind for Align {
    fn view(&self, config: &Config) -> View {
        View::Faces {
            context: config.aligner.context,
            margin: MARGIN,
        }
    }

    fn crop_side(&self, config: &Config) -> u32 {
        config.aligner.side
    }

    fn input_side(&self, config: &Config) -> u32 {
        config.aligner.side
    }

    fn anchors(&self, config: &Config, side: u32) -> Anchors {
        Anchors::single(config.aligner.anchor_cxcywh(), [side, side])
    }

    /// Of the first face: crops are made around it.
    fn targets(
        &self,
        builder: &TargetBuilder,
        anchors: &Anchors,
        faces: &[Truth],
        _complete: bool,
    ) -> Result<Targets> {
        match faces.first() {
            Some(face) => builder.of_face(anchors, face),
            None => Ok(Targets::default()),
        }
    }

    fn errors(&self) -> &'static [&'static str] {
        &["nme_joint"]
    }
}
