//! Shapes of networks, from settings.

use anyhow::Result;
use retinamark_core::net::{AlignerNet, Backbone, BackboneKind, DetectorNet};

use crate::config::{self, Config, ModelConfig};

/// The detector that `config` describes.
///
/// # Errors
/// When its landmark scheme is impossible.
pub fn detector_net(config: &Config) -> Result<DetectorNet> {
    let model = &config.model;
    Ok(DetectorNet {
        backbone: backbone(model),
        neck_channels: model.neck_channels,
        se_reduction: model.se_reduction,
        tower_layers: model.landmark_tower_layers,
        tower_channels: model.landmark_tower_channels,
        per_location: config.anchors.per_location(),
        coordinates: 2 * config.landmarks.scheme()?.len(),
    })
}

/// The aligner that `config` describes.
///
/// # Errors
/// When its landmark scheme is impossible.
pub fn aligner_net(config: &Config) -> Result<AlignerNet> {
    let aligner = &config.aligner;
    Ok(AlignerNet {
        backbone: backbone(&config.model),
        side: aligner.side as usize,
        channels: aligner.channels,
        heatmap_channels: aligner.heatmap_channels,
        uncertainty: aligner.uncertainty,
        points: config.landmarks.scheme()?.len(),
        reach: aligner.context * 0.5 / config.anchors.variances[0],
    })
}

fn backbone(model: &ModelConfig) -> Backbone {
    let width = model.width_multiplier;
    let kind = match model.backbone {
        config::BackboneKind::MobilenetV1 => BackboneKind::MobilenetV1 { width },
        config::BackboneKind::MobilenetV3Large => BackboneKind::MobilenetV3Large { width },
        config::BackboneKind::Resnet18 => BackboneKind::Resnet18,
        config::BackboneKind::Resnet50 => BackboneKind::Resnet50,
    };
    Backbone { kind }
}
