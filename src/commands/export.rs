//! `retinamark export`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use retinamark_core::graph::{Graph, Weights, passes};
use retinamark_core::onnx::{self, Decoding, Options, Size};
use serde::Serialize;

use crate::anchors::{Anchors, Head};
use crate::cli::{ExportArgs, ExportSize, ExportWhat};
use crate::config::Config;
use crate::model::weights::{self, Networks};
use crate::model::{Aligner, Network, RetinaFace};
use crate::{console, fs};

/// Side that a graph of any size is written down at: every level has several places.
const SAMPLE: u32 = 640;

/// Run the subcommand.
///
/// # Errors
/// When the weights cannot be loaded or lack the network, arguments contradict each other, or the
/// file cannot be written.
pub fn run(args: ExportArgs) -> Result<ExitCode> {
    let out = args.out.display();
    ensure!(
        args.force || !args.out.exists(),
        "{out} exists already: choose another --out, or replace it with --force"
    );
    fs::check_parent(&args.out)?;
    let path = weights::find(args.weights.as_deref())?;
    let networks = Networks::load(&path)?;
    let what = match (args.what, &networks.detector) {
        (Some(what), _) => what,
        (None, Some(_)) => ExportWhat::Detector,
        (None, None) => ExportWhat::Aligner,
    };
    let bytes = match what {
        ExportWhat::Detector => detector(&networks, &args),
        ExportWhat::Aligner => aligner(&networks, &args),
    };
    let bytes = bytes.with_context(|| format!("cannot export {}", path.display()))?;
    fs::write_atomic(&args.out, |file| Ok(file.write_all(&bytes)?))?;
    console::say(format!("{out}: {} bytes", bytes.len()));
    Ok(ExitCode::SUCCESS)
}

fn detector(networks: &Networks, args: &ExportArgs) -> Result<Vec<u8>> {
    let weights = networks.detector.as_ref().context("it holds no detector")?;
    let config = &networks.header.config;
    let size = args.size.unwrap_or(ExportSize::Fixed(config.detect.size));
    let side = match size {
        ExportSize::Fixed(side) => side,
        ExportSize::Dynamic => SAMPLE,
    };
    let decoding = args.decoded.then(|| Decoding {
        anchors: Anchors::generate(&config.anchors, [side; 2])
            .boxes_cxcywh()
            .to_vec(),
        head: Head::new(&config.head, &config.anchors),
        landmarks_in_box: config.model.landmarks_in_box,
    });
    ensure!(
        !args.decoded || size != ExportSize::Dynamic,
        "--decoded needs the anchors of one size: give --size a number"
    );
    let graph = RetinaFace::described(config, [side as usize; 2])?;
    let size = match size {
        ExportSize::Fixed(_) => Size::Fixed,
        ExportSize::Dynamic => Size::Dynamic,
    };
    let metadata = metadata(config, &networks.header.notes)?;
    write(
        weights,
        &graph,
        Options {
            size,
            metadata,
            decoding,
        },
    )
}

fn aligner(networks: &Networks, args: &ExportArgs) -> Result<Vec<u8>> {
    let stage = usize::from(args.stage);
    let known = networks.header.aligners();
    let (Some((config, notes)), Some(weights)) = (
        known.get(stage - 1).copied(),
        networks.aligners.get(stage - 1),
    ) else {
        match known.len() {
            0 => bail!("it holds no aligner"),
            aligners => {
                bail!("--stage {stage}: the last of its aligners is the one of stage {aligners}")
            }
        }
    };
    ensure!(
        !args.decoded,
        "--decoded is for detectors: crops have no anchors to decode"
    );
    let own = config.aligner.side;
    ensure!(
        args.size.is_none_or(|size| size == ExportSize::Fixed(own)),
        "its aligner sees crops of {own} pixels, and no others: leave --size out"
    );
    let graph = Aligner::described(config, [own as usize; 2])?;
    let mut metadata = metadata(config, notes)?;
    metadata.insert("aligner".into(), json(&config.aligner)?);
    if known.len() > 1 {
        metadata.insert("stage".into(), format!("{stage} of {}", known.len()));
    }
    write(
        weights,
        &graph,
        Options {
            metadata,
            ..Options::default()
        },
    )
}

fn write(weights: &Weights, graph: &Graph, options: Options) -> Result<Vec<u8>> {
    let (graph, weights) = passes::fold_norms(graph, weights)?;
    Ok(onnx::write(&passes::fuse(&graph), &weights, &options)?)
}

/// What one has to know to use the file, as JSON by name.
fn metadata(config: &Config, notes: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let scheme = config.landmarks.scheme()?;
    Ok(BTreeMap::from([
        (
            "program".into(),
            concat!("retinamark ", env!("CARGO_PKG_VERSION")).into(),
        ),
        ("input".into(), json(&config.input)?),
        ("model".into(), json(&config.model)?),
        ("anchors".into(), json(&config.anchors)?),
        ("landmarks".into(), json(&config.landmarks)?),
        ("points".into(), scheme.len().to_string()),
        ("notes".into(), json(notes)?),
    ]))
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}
