//! Settings -> the networks that they describe.

use super::{self as net, AlignerNet, Backbone, DetectorNet};
use crate::error::Result;
use crate::settings::{
    AlignerConfig, AnchorConfig, BackboneKind, Family, HeadConfig, InputConfig, LandmarksConfig,
    ModelConfig, Settings,
};

impl DetectorNet {
    /// The detector that these settings describe.
    ///
    /// # Errors
    /// When a custom scheme of landmarks contradicts itself.
    pub fn of(
        input: &InputConfig,
        model: &ModelConfig,
        head: &HeadConfig,
        anchors: &AnchorConfig,
        landmarks: &LandmarksConfig,
    ) -> Result<Self> {
        Ok(Self {
            backbone: backbone(model),
            family: match model.family {
                Family::Retinaface => net::Family::Retinaface,
                Family::Scrfd => net::Family::Scrfd {
                    channels: model.head_channels,
                },
            },
            logits: head.logits(),
            boxes: head.boxes,
            batch_norm: model.batch_norm,
            colours: input.channel_order.channels(),
            neck_channels: model.neck_channels,
            se_reduction: model.se_reduction,
            tower_layers: model.landmark_tower_layers,
            tower_channels: model.landmark_tower_channels,
            lateral_channels: model.landmark_lateral_channels,
            per_location: anchors.per_location(),
            coordinates: 2 * landmarks.scheme()?.len(),
        })
    }

    /// [`Self::of`] the settings of a weights file.
    ///
    /// # Errors
    /// As there.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        let Settings {
            input,
            model,
            head,
            anchors,
            landmarks,
            ..
        } = settings;
        Self::of(input, model, head, anchors, landmarks)
    }
}

impl AlignerNet {
    /// The aligner that these settings describe.
    ///
    /// # Errors
    /// As [`DetectorNet::of`].
    pub fn of(
        input: &InputConfig,
        model: &ModelConfig,
        aligner: &AlignerConfig,
        anchors: &AnchorConfig,
        landmarks: &LandmarksConfig,
    ) -> Result<Self> {
        Ok(Self {
            backbone: backbone(model),
            batch_norm: model.batch_norm,
            colours: input.channel_order.channels(),
            side: aligner.side as usize,
            features: aligner.features,
            channels: aligner.channels,
            heatmap_channels: aligner.heatmap_channels,
            uncertainty: aligner.uncertainty,
            pose: aligner.pose,
            points: landmarks.scheme()?.len(),
            reach: aligner.context * 0.5 / anchors.variances[0],
        })
    }

    /// [`Self::of`] the settings of a weights file.
    ///
    /// # Errors
    /// As there.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        let Settings {
            input,
            model,
            aligner,
            anchors,
            landmarks,
            ..
        } = settings;
        Self::of(input, model, aligner, anchors, landmarks)
    }
}

fn backbone(model: &ModelConfig) -> Backbone {
    let (width, gamma) = (model.width_multiplier, model.depth_gamma);
    Backbone {
        kind: match model.backbone {
            BackboneKind::MobilenetV1 => net::BackboneKind::MobilenetV1 { width, gamma },
            BackboneKind::MobilenetV3Large => net::BackboneKind::MobilenetV3Large { width },
            BackboneKind::Resnet18 => net::BackboneKind::Resnet18,
            BackboneKind::Resnet50 => net::BackboneKind::Resnet50,
            BackboneKind::Scrfd500m => net::BackboneKind::Scrfd500m,
            BackboneKind::Plain => net::BackboneKind::Plain { width, gamma },
        },
    }
}
