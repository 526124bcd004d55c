//! A detector that another one learns from.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use retinamark_core::infer::{self, FirstLook, InputSize, Scaled, Scrfd};
use retinamark_core::settings::Settings;

use crate::anchors::{Anchors, Head, Sure, Taught};
use crate::config::DistillConfig;
use crate::model::weights::Networks;

/// A detector that says what another one should: by the executor, on the very crops that the other
/// one learns from.
#[derive(Debug)]
pub struct Teacher {
    network: Box<dyn FirstLook>,
    head: Head,
    settings: Settings,
    min_score: f32,
}

impl Teacher {
    /// The one that `config` names, if it does.
    ///
    /// # Errors
    /// When its file cannot be read, or holds no detector.
    pub fn load(config: &DistillConfig) -> Result<Option<Arc<Self>>> {
        let Some(path) = &config.weights else {
            return Ok(None);
        };
        let about = || format!("distill.weights: cannot load {}", path.display());
        let (network, settings) = network(path).with_context(about)?;
        Ok(Some(Arc::new(Self {
            network,
            head: Head::new(&settings.head, &settings.anchors),
            settings,
            min_score: config.min_score,
        })))
    }

    /// What it says about a square crop whose sides are a multiple of the strides, anchor by anchor;
    /// `learner` are the other's anchors.
    ///
    /// # Errors
    /// When it has not as many anchors, and when it fails.
    pub fn teach(&self, crop: &RgbImage, learner: &Anchors) -> Result<Taught> {
        let strides = self.settings.anchors.strides.iter().copied().max();
        let stride = u32::try_from(strides.unwrap_or(1))?;
        let scaled = Scaled::new(crop, InputSize::Full, stride)?;
        let anchors = Anchors::generate(&self.settings.anchors, scaled.input());
        ensure!(
            anchors.len() == learner.len(),
            "distill.weights: the teacher has {} anchors for a crop of {} pixels, the learner {}; \
             train.crop must be a multiple of {stride}, and anchors.min_sizes as many on each level",
            anchors.len(),
            crop.width(),
            learner.len(),
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
    if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("onnx"))
    {
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
