//! Networks into bytes: which convolutions bear it, and how their inputs are written.
//!
//! A network is run on inputs as it will see them. Each convolution's input gets the scale that
//! errs least on what was seen there; a convolution that by itself changes the network's outputs
//! too much keeps its numbers.

mod range;
mod record;

use std::collections::BTreeMap;

use crate::engine::{Engine, Image, Isa, Outputs};
use crate::error::{Result, ensure};
use crate::graph::{ByteScale, Graph, NodeId, Shape, Weights, passes};
use crate::infer::Program;
use range::Histogram;

pub use record::{Input, Recording, Seen};

/// Inputs on which each convolution is tried by itself.
const TRIED_ON: usize = 16;

/// How a network's convolutions took to bytes. A loss is the difference of an output, relative to
/// the output: the root of the sum of squares of either.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Inputs that the network was run on.
    pub inputs: usize,
    /// Convolutions in bytes, with the largest loss of any output when only that one is.
    pub in_bytes: Vec<(String, f32)>,
    /// Those that would lose too much, with the same.
    pub in_numbers: Vec<(String, f32)>,
    /// Loss of each output with all of them together.
    pub losses: Vec<(String, f32)>,
}

/// `weights` of a network with its convolutions in bytes, but for those that by themselves lose more
/// than `most`.
///
/// # Errors
/// When there are no inputs, or the network cannot be run on them.
pub fn to_bytes(
    program: &Program,
    weights: &Weights,
    inputs: &[Input],
    most: f32,
) -> Result<(Weights, Report)> {
    ensure!(
        !inputs.is_empty(),
        Network,
        "nothing was seen to calibrate on"
    );
    let (_, folded) = passes::fold_norms(&(program.describe)(program.sample)?, weights)?;
    let calibration = Calibration {
        program,
        inputs,
        folded: &folded,
    };
    let scaled = calibration.scaled()?;
    let tried = &inputs[..inputs.len().min(TRIED_ON)];
    let plain = calibration.outputs(&folded, tried)?;
    let (mut in_bytes, mut in_numbers) = (Vec::new(), Vec::new());
    let (mut together, mut made) = (folded.clone(), weights.clone());
    for (name, own) in scaled {
        let mut only = folded.clone();
        only.replace_conv(&name, own.clone());
        let losses = losses(&plain, &calibration.outputs(&only, tried)?);
        let loss = losses.values().copied().fold(0.0, f32::max);
        if loss <= most {
            together.replace_conv(&name, own.clone());
            made.replace_conv(&name, own);
            in_bytes.push((name, loss));
        } else {
            in_numbers.push((name, loss));
        }
    }
    let plain = calibration.outputs(&folded, inputs)?;
    let losses = losses(&plain, &calibration.outputs(&together, inputs)?);
    let report = Report {
        inputs: inputs.len(),
        in_bytes,
        in_numbers,
        losses: losses.into_iter().collect(),
    };
    Ok((made, report))
}

/// `weights` of a network that was trained in 8 bits: with the convolutions in bytes whose inputs'
/// ranges they hold. It computes what the network computed while it trained.
///
/// # Errors
/// When they hold none, or one of a convolution that cannot be in bytes.
pub fn of_ranges(program: &Program, weights: &Weights) -> Result<Weights> {
    let (_, folded) = passes::fold_norms(&(program.describe)(program.sample)?, weights)?;
    let (known, ranges) = (program.byte_convs()?, weights.input_ranges()?);
    ensure!(!ranges.is_empty(), Network, "it was not trained in 8 bits");
    let mut made = weights.clone();
    for (name, [low, high]) in ranges {
        ensure!(
            known.iter().any(|own| own == name),
            Network,
            "{name} has a range, and is no convolution that can be in 8 bits"
        );
        let mut own = folded.of_conv(name);
        own.round_to_bytes(name, ByteScale::reaching(low, high))?;
        made.replace_conv(name, own);
    }
    Ok(made)
}

/// What an output gave for all inputs, by its name.
type Given = BTreeMap<String, Vec<f32>>;

fn losses(plain: &Given, found: &Given) -> BTreeMap<String, f32> {
    let loss = |(name, plain): (&String, &Vec<f32>)| {
        let found = found.get(name).map_or(&[][..], Vec::as_slice);
        let pairs = plain.iter().zip(found);
        let error: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let all: f64 = plain.iter().map(|v| f64::from(*v).powi(2)).sum();
        (
            name.clone(),
            (error / all.max(f64::MIN_POSITIVE)).sqrt() as f32,
        )
    };
    plain.iter().map(loss).collect()
}

struct Calibration<'a> {
    program: &'a Program,
    inputs: &'a [Input],
    folded: &'a Weights,
}

impl Calibration<'_> {
    /// The convolutions that can be in bytes, each with its tensors then.
    fn scaled(&self) -> Result<Vec<(String, Weights)>> {
        let describe = self.program.describe.clone();
        let open = move |shape: Shape| Ok(with_inputs_as_outputs(&*describe, shape)?.0);
        let engine = self.program.engine_of(open, self.folded)?;
        let (_, seen) = with_inputs_as_outputs(&*self.program.describe, self.program.sample)?;
        let mut histograms = vec![Histogram::default(); seen.len()];
        // First how far numbers reach, then how often each occurs.
        for pass in [Histogram::reach, Histogram::count] {
            for input in self.inputs {
                let outputs = run(&engine, input)?;
                for (histogram, (source, _)) in histograms.iter_mut().zip(&seen) {
                    let (_, values) = outputs.planar(source, 0)?;
                    values.into_iter().for_each(|v| pass(histogram, v));
                }
            }
        }
        let mut scaled = Vec::new();
        for (histogram, (_, convs)) in histograms.iter().zip(&seen) {
            let scale = histogram.best();
            for name in convs {
                let mut own = self.folded.of_conv(name);
                own.round_to_bytes(name, scale)?;
                scaled.push((name.clone(), own));
            }
        }
        Ok(scaled)
    }

    /// Rows and vectors that the network gives with these weights, which are folded.
    fn outputs(&self, weights: &Weights, inputs: &[Input]) -> Result<Given> {
        let describe = self.program.describe.clone();
        let describe = move |shape| Ok(passes::without_norms(&describe(shape)?));
        let engine = self.program.engine_of(describe, weights)?;
        let graph = (self.program.describe)(self.program.sample)?;
        let mut given = Given::new();
        for input in inputs {
            let outputs = run(&engine, input)?;
            for (name, _) in graph.outputs() {
                // Maps are read by landmark heads, which stay as they are.
                if let Ok(rows) = outputs.rows(name, 0) {
                    given
                        .entry(name.clone())
                        .or_default()
                        .extend_from_slice(rows);
                }
            }
        }
        Ok(given)
    }
}

fn run(engine: &Engine, input: &Input) -> Result<Outputs> {
    let (width, height) = input.pixels.dimensions();
    let image = Image::Rgb {
        pixels: input.pixels.as_raw(),
        size: [height as usize, width as usize],
    };
    engine.run(&[image], input.size)
}

/// Names of outputs, and of each the convolutions that read it.
type Read = Vec<(String, Vec<String>)>;

/// The fused graph with everything that convolutions in bytes would read as outputs; and by the name
/// of each of those outputs, which convolutions read it.
fn with_inputs_as_outputs(
    describe: &dyn Fn(Shape) -> Result<Graph>,
    shape: Shape,
) -> Result<(Graph, Read)> {
    let mut graph = passes::fuse(&passes::without_norms(&describe(shape)?));
    let mut seen: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
    for id in graph.byte_convs() {
        let node = graph.node(id);
        let convs = seen.entry(node.inputs[0]).or_default();
        convs.push(node.name.clone());
    }
    let seen: Read = seen
        .into_iter()
        .map(|(id, convs)| {
            let name = format!("read by {}", convs[0]);
            graph.name_output(name.clone(), id);
            (name, convs)
        })
        .collect();
    Ok((graph, seen))
}

impl Program {
    fn engine_of(
        &self,
        describe: impl Fn(Shape) -> Result<Graph> + Send + Sync + 'static,
        weights: &Weights,
    ) -> Result<Engine> {
        Engine::new(describe, self.sample, weights, self.normalise, Isa::best())
    }
}

#[cfg(test)]
mod tests;
