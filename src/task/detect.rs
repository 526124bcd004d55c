use anyhow::Result;

use super::{TaskKind, View};
use crate::anchors::{Anchors, TargetBuilder, Targets, Truth};
use crate::config::Config;

/// The first look: faces of a photo are matched to many anchors.
#[derive(Debug)]
pub(super) struct Detect;

impl TaskKind for Detect {
    fn view(&self, _config: &Config) -> View {
        View::Photos
    }

    fn crop_side(&self, config: &Config) -> u32 {
        config.train.crop
    }

    fn input_side(&self, config: &Config) -> u32 {
        config.detect.size
    }

    fn anchors(&self, config: &Config, side: u32) -> Anchors {
        Anchors::generate(&config.anchors, [side, side])
    }

    fn targets(
        &self,
        builder: &TargetBuilder,
        anchors: &Anchors,
        faces: &[Truth],
        complete: bool,
    ) -> Result<Targets> {
        builder.build(anchors, faces, complete)
    }

    /// Of the first look, if there were two.
    fn errors(&self) -> &'static [&'static str] {
        &["one_pass/nme_joint", "nme_joint"]
    }
}
