//! A detector that another one learns from.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use retinamark_core::infer::{self, FirstLook, InputSize, Scaled, Scrfd};
use retinamark_core::settings::Settings;

use crate::anchors::{AnchorCache, Anchors, Head, Sure, Taught};
use crate::config::DistillConfig;
use crate::model::weights::{Networks, is_onnx};

/// A detector that says what another one should: by the executor, on the very crops that the other
/// one learns from.
#[derive(Debug)]
pub struct Teacher {
    network: Box<dyn FirstLook>,
    head: Head,
    anchors: AnchorCache,
    stride: u32,
    min_score: f32,
}

impl Teacher {
    /// The one that `config` names, if it does.
    ///
    /// # Errors
    /// When its file cannot be read, or holds no detector.
    pub fn load(config: &DistillConfig) -> Result<Option<Self>> {
        let Some(path) = &config.weights else {
            return Ok(None);
        };
        let about = || format!("distill.weights: cannot load {}", path.display());
        let (network, settings) = network(path).with_context(about)?;
        let strides = settings.anchors.strides.iter().copied().max();
        Ok(Some(Self {
            network,
            head: Head::new(&settings.head, &settings.anchors),
            anchors: AnchorCache::new(&settings.anchors),
            stride: u32::try_from(strides.unwrap_or(1))?,
            min_score: config.min_score,
        }))
    }

    /// What it says about a square crop whose sides are a multiple of the strides, anchor by anchor;
    /// `learner` are the other's anchors.
    ///
    /// # Errors
    /// When it has not as many anchors, and when it fails.
    pub fn teach(&self, crop: &RgbImage, learner: &Anchors) -> Result<Taught> {
        let scaled = Scaled::new(crop, InputSize::Full, self.stride)?;
        let anchors = self.anchors.get(scaled.input());
        ensure!(
            anchors.len() == learner.len(),
            "distill.weights: the teacher has {} anchors for a crop of {} pixels, the learner {}; \
             train.crop must be a multiple of {}, and anchors.min_sizes as many on each level",
            anchors.len(),
            crop.width(),
            learner.len(),
            self.stride,
        );
        let answer = self.network.run(&[scaled])?;
        let scores = self.head.scores(answer.logits(0)?, 0.0);
        let scores = scores.context("distill.weights: the teacher's logits are of another kind")?;
        let told = answer.box_deltas(0)?.as_chunks::<4>().0;
        let pairs = anchors.boxes_cxcywh().iter().zip(learner.boxes_cxcywh());
        let sure = pairs.zip(told).zip(&scores).enumerate();
        let sure = sure.filter(|(_, (_, score))| **score >= self.min_score);
        let sure = sure.map(|(anchor, (((&own, &anchor_cxcywh), &told), &score))| Sure {
            anchor,
            anchor_cxcywh,
            score,
            box_xyxy: self.head.coder.decode_box(own, told),
        });
        Ok(Taught {
            sure: sure.filter(|s| s.box_xyxy.has_size()).collect(),
            scores,
        })
    }
}

fn network(path: &Path) -> Result<(Box<dyn FirstLook>, Settings)> {
    if is_onnx(path) {
        let scrfd = Scrfd::new(&std::fs::read(path)?)?;
        let settings = scrfd.settings().clone();
        return Ok((Box::new(scrfd), settings));
    }
    let networks = Networks::load(path)?;
    let weights = networks.detector.context("it holds no detector")?;
    let settings = networks.header.config.settings();
    Ok((
        Box::new(infer::Detector::new(&settings, &weights)?),
        settings,
    ))
}
