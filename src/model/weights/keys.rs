//! Names of tensors in PyTorch files, mapped to ours.

/// Where training programs keep the network among other things (optimiser, figures).
const CHECKPOINTS: [&str; 3] = ["state_dict.", "model_state_dict.", "model."];

/// What `DataParallel` puts before each name.
const WRAPPER: &str = "module.";

/// The tensors of the network among `names`, each with its own name: of a whole checkpoint only
/// its network, without wrappers.
pub fn network<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<(&'a str, &'a str)> {
    let part = CHECKPOINTS
        .into_iter()
        .find(|part| names.clone().any(|name| name.starts_with(part)))
        .unwrap_or_default();
    let inner = |name: &'a str| {
        let own = name.strip_prefix(part)?;
        Some((name, own.strip_prefix(WRAPPER).unwrap_or(own)))
    };
    names.filter_map(inner).collect()
}

/// Our name of the PyTorch tensor `key`; the name itself when no rule fits (it will be left over);
/// `None` for counters that this program has no use for.
pub fn ours(key: &str) -> Option<String> {
    let parts: Vec<&str> = key.split('.').collect();
    if parts.last() == Some(&"num_batches_tracked") {
        return None;
    }
    Some(detector(&parts).unwrap_or_else(|| key.to_string()))
}

/// Names of `biubug6/Pytorch_Retinaface`; everything unknown may be a bare backbone.
fn detector(parts: &[&str]) -> Option<String> {
    match *parts {
        ["fpn", layer, index, param] => {
            let (layer, number) = layer.split_at_checked(layer.len().checked_sub(1)?)?;
            let layer = match layer {
                "output" => "lateral",
                "merge" => "merge",
                _ => return None,
            };
            let number = number.parse::<usize>().ok()?.checked_sub(1)?;
            conv_bn(&format!("fpn.{layer}.{number}"), index, param)
        }
        [ssh @ ("ssh1" | "ssh2" | "ssh3"), layer, index, param] => {
            let level = ssh[3..].parse::<usize>().ok()? - 1;
            let layer = match layer {
                "conv3X3" => "conv3",
                "conv5X5_1" => "conv5_1",
                "conv5X5_2" => "conv5_2",
                "conv7X7_2" => "conv7_2",
                "conv7x7_3" => "conv7_3",
                _ => return None,
            };
            conv_bn(&format!("ssh.{level}.{layer}"), index, param)
        }
        ["ClassHead", level, "conv1x1", param] => Some(format!("class_heads.{level}.{param}")),
        ["BboxHead", level, "conv1x1", param] => Some(format!("box_heads.{level}.{param}")),
        ["LandmarkHead", level, "conv1x1", param] => {
            Some(format!("landmark_heads.{level}.out.{param}"))
        }
        ["body", ref rest @ ..] => backbone(rest),
        _ => backbone(parts),
    }
}

fn backbone(parts: &[&str]) -> Option<String> {
    mobilenet_v1(parts)
        .or_else(|| mobilenet_v3(parts))
        .or_else(|| resnet(parts))
}

/// `stage1.0.{0,1}` is the stem, `stageS.B.{0,1}` a depthwise and `.{3,4}` a pointwise
/// convolution with its batch norm.
fn mobilenet_v1(parts: &[&str]) -> Option<String> {
    let [stage, block, index, param] = *parts else {
        return None;
    };
    let stage = number(stage, "stage")?;
    let block: usize = block.parse().ok()?;
    let block = match (stage, block) {
        (0, 0) => return conv_bn("backbone.stem", index, param),
        (0, block) => block - 1,
        (_, block) => block,
    };
    let (half, index) = match index {
        "0" | "1" => ("depthwise", index),
        "3" => ("pointwise", "0"),
        "4" => ("pointwise", "1"),
        _ => return None,
    };
    conv_bn(
        &format!("backbone.stages.{stage}.{block}.{half}"),
        index,
        param,
    )
}

/// torchvision's names: `features.N` is the stem (0), a block (1 to 15) or the last convolution
/// (16); a block's `block.K` is a convolution with its batch norm or has `fc1` and `fc2`.
fn mobilenet_v3(parts: &[&str]) -> Option<String> {
    let ["features", layer, ref inner @ ..] = *parts else {
        return None;
    };
    let layer: usize = layer.parse().ok()?;
    let (stage, block) = match (layer, inner) {
        (0, [index, param]) => return conv_bn("backbone.stem", index, param),
        (1..=6, _) => (0, layer - 1),
        (7..=12, _) => (1, layer - 7),
        (13..=16, _) => (2, layer - 13),
        _ => return None,
    };
    let path = format!("backbone.stages.{stage}.{block}.path");
    match (layer, inner) {
        (16, [index, param]) => conv_bn(&format!("{path}.0"), index, param),
        (1..=15, ["block", at, "fc1", param]) => Some(format!("{path}.{at}.reduce.{param}")),
        (1..=15, ["block", at, "fc2", param]) => Some(format!("{path}.{at}.expand.{param}")),
        (1..=15, ["block", at, index, param]) => conv_bn(&format!("{path}.{at}"), index, param),
        _ => None,
    }
}

/// torchvision's names: `conv1`, `bn1`, `layerS.B.convK`, `.bnK`, `.downsample.{0,1}`.
fn resnet(parts: &[&str]) -> Option<String> {
    match *parts {
        ["conv1", param] => conv_bn("backbone.stem", "0", param),
        ["bn1", param] => conv_bn("backbone.stem", "1", param),
        [layer, block, "downsample", index, param] => {
            let stage = number(layer, "layer")?;
            conv_bn(
                &format!("backbone.stages.{stage}.{block}.shortcut"),
                index,
                param,
            )
        }
        [layer, block, inner, param] => {
            let stage = number(layer, "layer")?;
            let (at, index) = number(inner, "conv")
                .map(|at| (at, "0"))
                .or_else(|| number(inner, "bn").map(|at| (at, "1")))?;
            conv_bn(
                &format!("backbone.stages.{stage}.{block}.path.{at}"),
                index,
                param,
            )
        }
        _ => None,
    }
}

/// `prefix3` -> 2: PyTorch's names count from one.
fn number(name: &str, prefix: &str) -> Option<usize> {
    let number: usize = name.strip_prefix(prefix)?.parse().ok()?;
    number.checked_sub(1)
}

/// Index 0 of a pair is the convolution, 1 the batch norm.
fn conv_bn(prefix: &str, index: &str, param: &str) -> Option<String> {
    match (index, param) {
        ("0", _) => Some(format!("{prefix}.conv.{param}")),
        ("1", "weight") => Some(format!("{prefix}.norm.gamma")),
        ("1", "bias") => Some(format!("{prefix}.norm.beta")),
        ("1", _) => Some(format!("{prefix}.norm.{param}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{network, ours};

    #[test]
    fn names_are_mapped() {
        for (theirs, expected) in [
            ("body.stage1.0.0.weight", "backbone.stem.conv.weight"),
            ("stage1.0.1.bias", "backbone.stem.norm.beta"),
            (
                "body.stage1.5.3.weight",
                "backbone.stages.0.4.pointwise.conv.weight",
            ),
            (
                "stage2.0.1.weight",
                "backbone.stages.1.0.depthwise.norm.gamma",
            ),
            (
                "body.stage3.1.4.running_var",
                "backbone.stages.2.1.pointwise.norm.running_var",
            ),
            ("fpn.output3.0.weight", "fpn.lateral.2.conv.weight"),
            ("fpn.merge1.1.running_mean", "fpn.merge.0.norm.running_mean"),
            ("ssh2.conv7x7_3.0.weight", "ssh.1.conv7_3.conv.weight"),
            ("ClassHead.0.conv1x1.bias", "class_heads.0.bias"),
            (
                "LandmarkHead.2.conv1x1.weight",
                "landmark_heads.2.out.weight",
            ),
            ("conv1.weight", "backbone.stem.conv.weight"),
            ("bn1.running_mean", "backbone.stem.norm.running_mean"),
            (
                "layer1.0.conv2.weight",
                "backbone.stages.0.0.path.1.conv.weight",
            ),
            (
                "body.layer4.2.bn3.bias",
                "backbone.stages.3.2.path.2.norm.beta",
            ),
            (
                "layer2.0.downsample.1.weight",
                "backbone.stages.1.0.shortcut.norm.gamma",
            ),
            ("fc.weight", "fc.weight"),
            ("features.0.0.weight", "backbone.stem.conv.weight"),
            ("features.0.1.weight", "backbone.stem.norm.gamma"),
            (
                "features.1.block.1.0.weight",
                "backbone.stages.0.0.path.1.conv.weight",
            ),
            (
                "features.6.block.2.fc1.weight",
                "backbone.stages.0.5.path.2.reduce.weight",
            ),
            (
                "body.features.7.block.2.1.running_var",
                "backbone.stages.1.0.path.2.norm.running_var",
            ),
            (
                "features.15.block.2.fc2.bias",
                "backbone.stages.2.2.path.2.expand.bias",
            ),
            (
                "features.16.0.weight",
                "backbone.stages.2.3.path.0.conv.weight",
            ),
            ("features.16.1.bias", "backbone.stages.2.3.path.0.norm.beta"),
            ("classifier.3.bias", "classifier.3.bias"),
        ] {
            assert_eq!(ours(theirs).as_deref(), Some(expected), "{theirs}");
        }
        assert_eq!(ours("body.stage1.0.1.num_batches_tracked"), None);
    }

    #[test]
    fn only_the_network_of_a_checkpoint_counts() {
        let all = [
            "best",
            "state_dict.module.fc.bias",
            "optimizer.state.1.momentum",
        ];
        assert_eq!(network(all.into_iter()), [(all[1], "fc.bias")]);
        let all = ["module.a.b", "c"];
        assert_eq!(network(all.into_iter()), [(all[0], "a.b"), (all[1], "c")]);
    }

    #[test]
    fn odd_names_stay_as_they_are() {
        for key in [
            "",
            ".",
            "fpn..0.weight",
            "fpn.é.0.weight",
            "ssh9.conv3X3.0.weight",
            "layer0.0.conv1.weight",
            "features.17.0.weight",
            "features.x.0.weight",
            "features.0.block.0.0.weight",
            "features.2.conv.0.0.weight",
            "features.3.0.weight",
        ] {
            assert_eq!(ours(key).as_deref(), Some(key));
        }
    }
}
