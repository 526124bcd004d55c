//! Settings -> the networks that they describe.

use anyhow::Result;
use retinamark_core::net::{self, AlignerNet, Backbone, DetectorNet};

use crate::config::{BackboneKind, Config, ModelConfig};

/// The detector that `model`, `anchors` and `landmarks` describe.
///
/// # Errors
/// When a custom scheme of landmarks contradicts itself.
pub fn detector(config: &Config) -> Result<DetectorNet> {
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

/// The aligner that `aligner`, `landmarks` and the backbone of `model` describe.
///
/// # Errors
/// As [`detector`].
pub fn aligner(config: &Config) -> Result<AlignerNet> {
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
    Backbone {
        kind: match model.backbone {
            BackboneKind::MobilenetV1 => net::BackboneKind::MobilenetV1 { width },
            BackboneKind::MobilenetV3Large => net::BackboneKind::MobilenetV3Large { width },
            BackboneKind::Resnet18 => net::BackboneKind::Resnet18,
            BackboneKind::Resnet50 => net::BackboneKind::Resnet50,
        },
    }
}
