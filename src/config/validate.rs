//! Which values make sense. All problems are reported at once, each with its key and what is
//! allowed.

use anyhow::Result;

use super::{
    AlignerConfig, AnchorConfig, BackboneKind, Config, DataConfig, DetectConfig, DistillConfig,
    Family, InitConfig, InputConfig, LossConfig, ModelConfig, PoseConvention, PoseOrigin,
    SourceConfig, SourceKind, Task, TrainConfig,
};
use crate::check::Check;
use crate::geometry::{FaceModel, Scheme};
use crate::kinds::Kinds;

/// Strides of the feature maps that every backbone gives.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Least deviation that pixels are divided by where no batch norm follows.
const UNNORMED_STD: f32 = 16.0;

/// Last layer of the deepest backbone that `model.depth_gamma` is for, counted from 0.
const DEEPEST: i32 = 13;
/// Largest factor of its channels.
const MOST_WIDTH: f32 = 16.0;

impl Config {
    /// Whether all values make sense, each by itself and together. Files are not looked at.
    ///
    /// # Errors
    /// Lists every key with an impossible value and what is allowed.
    pub fn validate(&self) -> Result<()> {
        let mut check = Check::default();
        match self.landmarks.scheme() {
            Err(error) => check.problem("landmarks", &format!("{error:#}")),
            Ok(scheme) => check.ensure(
                !self.loss.landmark.loss().needs_parts() || !scheme.parts().is_empty(),
                "loss.landmark.kind",
                &format!(
                    "{} needs to know which points follow one another: a landmarks.scheme other than \
                     {}, or landmarks.custom.parts",
                    self.loss.landmark.name(),
                    scheme.name()
                ),
            ),
        }
        self.check_pose(&mut check);
        input(&mut check, &self.input, &self.model);
        model(&mut check, &self.model);
        anchors(&mut check, &self.anchors);
        aligner(&mut check, &self.aligner);
        init(&mut check, &self.init);
        data(&mut check, &self.data);
        self.augment.check(&mut check);
        self.matcher.check(&mut check);
        loss(&mut check, &self.loss);
        distill(&mut check, &self.distill);
        check.ensure(
            self.distill.weights.is_none() || self.task == Task::Detect,
            "distill.weights",
            "a detector learns from another one: task must be detect",
        );
        self.optimizer.check(&mut check);
        self.schedule.check(&mut check);
        train(&mut check, &self.train);
        check.ensure(
            self.train.after.is_none() || self.task == Task::Align,
            "train.after",
            "is for task align: a detector sees whole photos, whatever comes before it",
        );
        check.between("snapshot.score", self.snapshot.score, 0.0, 1.0);
        detect(&mut check, &self.detect);
        check.finish()
    }

    /// Whether heads can be turned as their points are.
    fn check_pose(&self, check: &mut Check) {
        let knows = |scheme: Scheme| FaceModel::of(&scheme).is_some();
        check.ensure(
            self.data.pose == PoseOrigin::Labels || self.landmarks.scheme().map_or(true, knows),
            "data.pose",
            "points need to know where eyes, nose and mouth are: a built-in landmarks.scheme, or \
             landmarks.custom.anatomy",
        );
    }
}

fn input(check: &mut Check, c: &InputConfig, model: &ModelConfig) {
    let channels = c.channel_order.channels();
    for (key, numbers) in [("input.mean", &c.mean), ("input.std", &c.std)] {
        check.ensure(
            numbers.len() == channels,
            key,
            &format!(
                "must have one number for each channel of input.channel_order: {channels}, not {}",
                numbers.len()
            ),
        );
    }
    for (i, (&mean, &std)) in c.mean.iter().zip(&c.std).enumerate() {
        check.between(&format!("input.mean[{i}]"), mean, 0.0, 255.0);
        check.positive(&format!("input.std[{i}]"), std, 1000.0);
    }
    check.ensure(
        model.batch_norm || c.std.iter().all(|&std| std >= UNNORMED_STD),
        "input.std",
        &format!(
            "must be at least {UNNORMED_STD} without batch norms (model.batch_norm: false), such as \
             64: nothing else brings the numbers near 1; is {:?}",
            c.std
        ),
    );
}

fn model(check: &mut Check, c: &ModelConfig) {
    check.between("model.width_multiplier", c.width_multiplier, 0.125, 4.0);
    depth_gamma(check, c);
    check.between("model.neck_channels", c.neck_channels, 8, 1024);
    check.between("model.head_channels", c.head_channels, 1, 1024);
    check.ensure(
        c.family == Family::Scrfd || c.neck_channels.is_multiple_of(4),
        "model.neck_channels",
        &format!(
            "must be a multiple of 4 (SSH splits it into c/2, c/4, c/4), is {}",
            c.neck_channels
        ),
    );
    let features = match c.family {
        Family::Retinaface => c.neck_channels,
        Family::Scrfd => c.head_channels,
    };
    check.between("model.se_reduction", c.se_reduction, 0, features);
    check.between(
        "model.landmark_tower_layers",
        c.landmark_tower_layers,
        0,
        16,
    );
    check.between(
        "model.landmark_tower_channels",
        c.landmark_tower_channels,
        1,
        1024,
    );
    let (key, channels) = (
        "model.landmark_lateral_channels",
        c.landmark_lateral_channels,
    );
    check.between(key, channels, 0, 1024);
}

fn depth_gamma(check: &mut Check, c: &ModelConfig) {
    let (key, gamma) = ("model.depth_gamma", c.depth_gamma);
    check.between(key, gamma, 0.5, 2.0);
    let layered = [BackboneKind::MobilenetV1, BackboneKind::Plain].contains(&c.backbone);
    check.ensure(
        gamma == 1.0 || layered,
        key,
        "is for the backbones mobilenet_v1 and plain: leave it at 1 for others",
    );
    let last = c.width_multiplier * gamma.powi(DEEPEST);
    check.ensure(
        last <= MOST_WIDTH,
        key,
        &format!(
            "model.width_multiplier * model.depth_gamma^{DEEPEST} must be at most {MOST_WIDTH}, is {last}"
        ),
    );
}

fn anchors(check: &mut Check, c: &AnchorConfig) {
    check.ensure(
        c.strides == STRIDES,
        "anchors.strides",
        &format!(
            "must be {STRIDES:?}, the strides of the backbones' feature maps, is {:?}",
            c.strides
        ),
    );
    check.ensure(
        c.min_sizes.len() == c.strides.len(),
        "anchors.min_sizes",
        &format!(
            "must have one list for each of the {} strides, has {}",
            c.strides.len(),
            c.min_sizes.len()
        ),
    );
    for (level, sizes) in c.min_sizes.iter().enumerate() {
        let key = format!("anchors.min_sizes[{level}]");
        check.ensure(
            !sizes.is_empty() && sizes.len() == c.per_location(),
            &key,
            "every level needs the same number of sizes, at least one",
        );
        for (i, &size) in sizes.iter().enumerate() {
            check.positive(&format!("{key}[{i}]"), size, 16_384.0);
        }
    }
    check.between("anchors.offset", c.offset, 0.0, 1.0);
    for (i, &variance) in c.variances.iter().enumerate() {
        check.positive(&format!("anchors.variances[{i}]"), variance, 10.0);
    }
}

fn aligner(check: &mut Check, c: &AlignerConfig) {
    check.between("aligner.side", c.side, 32, 1024);
    check.between("aligner.context", c.context, 1.0, 4.0);
    let five = &c.around_five;
    check.between("aligner.around_five.scale", five.scale, 0.5, 10.0);
    check.between("aligner.around_five.drop", five.drop, -5.0, 5.0);
    check.between("aligner.around_five.turn", five.turn, -5.0, 5.0);
    let confidence = &c.confidence;
    check.between("aligner.confidence.half_at", confidence.half_at, 1e-4, 10.0);
    check.between("aligner.confidence.slope", confidence.slope, 0.01, 100.0);
    for (i, &channels) in c.channels.iter().enumerate() {
        check.between(&format!("aligner.channels[{i}]"), channels, 1, 4096);
    }
    check.between("aligner.heatmap_channels", c.heatmap_channels, 0, 4096);
    check.between("aligner.min_score", c.min_score, 0.0, 1.0);
    check.between("aligner.passes", c.passes, 1, 10);
}

fn init(check: &mut Check, c: &InitConfig) {
    for (key, prefixes) in [
        ("init.allow_new", &c.allow_new),
        ("init.allow_unused", &c.allow_unused),
    ] {
        check.ensure(
            prefixes.iter().all(|p| !p.trim().is_empty()),
            key,
            "a prefix must not be empty (it would allow everything)",
        );
    }
}

fn data(check: &mut Check, c: &DataConfig) {
    for (name, sources) in [("train", &c.train), ("validation", &c.validation)] {
        for (i, s) in sources.iter().enumerate() {
            source(check, &format!("data.{name}[{i}]"), s);
        }
    }
    check.ensure(
        c.train.is_empty() || c.train.iter().any(|s| s.weight > 0.0),
        "data.train",
        "at least one source needs a weight above 0",
    );
    check.between("data.turned_weight", c.turned_weight, 0.0, 1000.0);
    check.between("data.workers", c.workers, 0, 1024);
    check.between("data.prefetch", c.prefetch, 1, 1024);
}

fn source(check: &mut Check, key: &str, s: &SourceConfig) {
    check.ensure(
        !s.list.as_os_str().is_empty(),
        &format!("{key}.list"),
        "must name the annotation file",
    );
    check.between(&format!("{key}.weight"), s.weight, 0.0, 1e6);
    for (name, given) in [
        ("wider", s.wider.is_some()),
        ("disagreement", s.disagreement.is_some()),
        ("pose", s.pose.is_some()),
    ] {
        check.ensure(
            !given || s.kind == SourceKind::Wflw,
            &format!("{key}.{name}"),
            "is for sources of kind wflw only",
        );
    }
    check.ensure(
        s.pose.is_some() || s.pose_convention == PoseConvention::default(),
        &format!("{key}.pose_convention"),
        "needs `pose` too",
    );
    for (name, limit) in [
        ("max_disagreement", s.max_disagreement),
        ("half_disagreement", s.half_disagreement),
    ] {
        let Some(limit) = limit else { continue };
        let key = format!("{key}.{name}");
        check.positive(&key, limit, 1000.0);
        check.ensure(s.disagreement.is_some(), &key, "needs `disagreement` too");
    }
}

fn loss(check: &mut Check, c: &LossConfig) {
    for (key, weight) in [
        ("loss.class_weight", c.class_weight),
        ("loss.box_weight", c.box_weight),
        ("loss.landmark_weight", c.landmark_weight),
        ("loss.negative_ratio", c.negative_ratio),
    ] {
        check.between(key, weight, 0.0, 1e6);
    }
    check.between("loss.uncertainty_weight", c.uncertainty_weight, 0.0, 1e6);
    check.between("loss.quality_beta", c.quality_beta, 0.0, 10.0);
    c.landmark.loss().check(check);
    c.pose.loss().check(check);
}

fn distill(check: &mut Check, c: &DistillConfig) {
    for (key, weight) in [
        ("distill.score_weight", c.score_weight),
        ("distill.box_weight", c.box_weight),
        ("distill.label_weight", c.label_weight),
    ] {
        check.between(key, weight, 0.0, 1e6);
    }
    check.between("distill.min_score", c.min_score, 0.0, 1.0);
}

fn train(check: &mut Check, c: &TrainConfig) {
    check.between("train.epochs", c.epochs, 1, 1_000_000);
    check.between("train.batch_size", c.batch_size, 1, 65_536);
    check.between("train.crop", c.crop, 32, 8192);
    check.between("train.keep_last", c.keep_last, 1, 1_000_000);
    check.between("train.validate_every", c.validate_every, 1, 1_000_000);
    check.between("train.blend_share", c.blend_share, 0.0, 1.0);
    check.ensure(
        !c.out.as_os_str().is_empty(),
        "train.out",
        "must name a folder",
    );
}

fn detect(check: &mut Check, c: &DetectConfig) {
    check.between("detect.size", c.size, 32, 16_384);
    check.between("detect.score", c.score, 0.0, 1.0);
    check.between("detect.evaluate_score", c.evaluate_score, 0.0, 1.0);
    check.between("detect.joint_score", c.joint_score, 0.0, 1.0);
    check.positive("detect.nms_iou", c.nms_iou, 1.0);
    check.between("detect.top_k", c.top_k, 1, 1_000_000);
    check.between("detect.max_faces", c.max_faces, 1, 1_000_000);
    check.between("detect.landmark_votes", c.landmark_votes, 1, 1000);
}
