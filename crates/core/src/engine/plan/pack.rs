//! Weights in the order in which the kernels read them: packed once, shared by all sizes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::engine::kernels::{
    Buffer, ByteOutput, Bytes, Isa, Numbers, Weights as ConvWeights, winograd_weights,
};
use crate::engine::layout::Map;
use crate::engine::steps::{Dense, LinearStep, LinearWeights, Normalise, WinogradWeights};
use crate::error::Result;
use crate::graph::{ByteScale, Tensor, Weights, weight_byte};

/// What was packed, by the names of what it was made of.
#[derive(Debug, Default)]
pub struct Packed {
    convs: Kept<ConvWeights<Numbers>>,
    byte_convs: Kept<ConvWeights<Bytes>>,
    winograds: Kept<WinogradWeights>,
    buffers: Kept<Buffer>,
    linears: Kept<LinearWeights>,
}

/// Things of one kind by name.
type Kept<T> = Mutex<HashMap<String, Arc<T>>>;

fn kept<T>(all: &Kept<T>, key: String, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
    let mut all = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(known) = all.get(&key) {
        return Ok(known.clone());
    }
    let made = Arc::new(make()?);
    all.insert(key, made.clone());
    Ok(made)
}

/// A convolution's tensors.
struct Source<'a> {
    weight: &'a Tensor,
    bias: &'a [f32],
}

fn source<'a>(weights: &'a Weights, name: &str) -> Result<Source<'a>> {
    let weight = weights.tensor(&format!("{name}.weight"))?;
    let outputs = weight.shape.first().copied().unwrap_or(0);
    let bias = weights.get(&format!("{name}.bias"), &[outputs])?;
    Ok(Source { weight, bias })
}

impl Source<'_> {
    fn shape(&self) -> [usize; 4] {
        std::array::from_fn(|axis| self.weight.shape.get(axis).copied().unwrap_or(1))
    }

    fn at(&self, output: usize, input: usize, y: usize, x: usize) -> f32 {
        let [_, inputs, height, width] = self.shape();
        self.weight.values[((output * inputs + input) * height + y) * width + x]
    }
}

/// Several convolutions as one: which of them an output channel belongs to. With `whole_blocks`
/// each begins at a new block.
struct Joined<'a> {
    sources: Vec<(usize, Source<'a>)>,
    outputs: usize,
}

impl<'a> Joined<'a> {
    fn of(weights: &'a Weights, names: &[&str]) -> Result<Self> {
        let mut sources = Vec::new();
        let mut outputs = 0;
        for name in names {
            let source = source(weights, name)?;
            let own = source.shape()[0];
            sources.push((outputs, source));
            outputs += own;
        }
        Ok(Self { sources, outputs })
    }

    fn find(&self, output: usize) -> (&Source<'a>, usize) {
        let at = self.sources.partition_point(|(first, _)| *first <= output) - 1;
        let (first, source) = &self.sources[at];
        (source, output - first)
    }

    fn inputs(&self) -> usize {
        self.sources
            .first()
            .map_or(0, |(_, source)| source.shape()[1])
    }

    fn kernel(&self) -> usize {
        self.sources
            .first()
            .map_or(0, |(_, source)| source.shape()[2])
    }

    fn bias(&self, output: usize) -> f32 {
        let (source, own) = self.find(output);
        source.bias[own]
    }

    /// Outputs, taps (kernel rows, columns, blocks), and inputs of each over a blocked map. With
    /// fewer channels than a block has, the others need not be looked at.
    fn blocked(&self, isa: Isa) -> [usize; 3] {
        let (inputs, lanes) = (self.inputs(), isa.lanes());
        let places = self.kernel() * self.kernel();
        let taps = places * inputs.div_ceil(lanes);
        [self.outputs, taps, lanes.min(inputs)]
    }

    /// The weight at a place of [`Joined::blocked`]; `None` beyond the last channel.
    fn at(&self, isa: Isa, output: usize, tap: usize, lane: usize) -> Option<f32> {
        let (kernel, lanes) = (self.kernel(), isa.lanes());
        let blocks = self.inputs().div_ceil(lanes);
        let (place, input) = (tap / blocks, tap % blocks * lanes + lane);
        let (source, own) = self.find(output);
        let known = input < self.inputs();
        known.then(|| source.at(own, input, place / kernel, place % kernel))
    }
}

impl Packed {
    /// Dense convolutions called `names` over blocked maps, one behind the other: in bytes where the
    /// first one is.
    pub fn dense(&self, isa: Isa, weights: &Weights, names: &[&str]) -> Result<Dense> {
        Ok(match weights.byte_scale(names[0])? {
            Some(input) => Dense::Bytes {
                weights: self.byte_conv(isa, weights, names, input)?,
                input,
            },
            None => Dense::Numbers(self.conv(isa, weights, names)?),
        })
    }

    /// The same, in numbers.
    pub fn conv(
        &self,
        isa: Isa,
        weights: &Weights,
        names: &[&str],
    ) -> Result<Arc<ConvWeights<Numbers>>> {
        kept(&self.convs, names.join("|"), || {
            let joined = Joined::of(weights, names)?;
            let weight = |output, tap, lane| {
                let known = joined.at(isa, output, tap, lane);
                known.unwrap_or(0.0)
            };
            let shape = joined.blocked(isa);
            Ok(ConvWeights::<Numbers>::pack(isa, shape, weight, |output| {
                joined.bias(output)
            }))
        })
    }

    fn byte_conv(
        &self,
        isa: Isa,
        weights: &Weights,
        names: &[&str],
        input: ByteScale,
    ) -> Result<Arc<ConvWeights<Bytes>>> {
        kept(&self.byte_convs, names.join("|"), || {
            let joined = Joined::of(weights, names)?;
            let mut scales = Vec::new();
            for name in names {
                let field = format!("{name}.weight_scale");
                scales.extend_from_slice(&weights.tensor(&field)?.values);
            }
            let mut wrong = None;
            let weight = |output: usize, tap, lane| {
                let known = joined.at(isa, output, tap, lane);
                let byte = known.map(|weight| weight_byte(weight, scales[output]));
                byte.unwrap_or(Ok(0)).unwrap_or_else(|error| {
                    wrong = Some(error);
                    0
                })
            };
            let output = |output: usize| ByteOutput {
                scale: scales[output] * input.scale,
                bias: joined.bias(output),
            };
            let shape = joined.blocked(isa);
            let packed = ConvWeights::<Bytes>::pack(isa, shape, weight, input.zero, output);
            wrong.map_or(Ok(packed), Err)
        })
    }

    /// The convolution `name` over the rows of an image.
    pub fn stem(
        &self,
        isa: Isa,
        weights: &Weights,
        name: &str,
        normalise: &Normalise,
    ) -> Result<Arc<ConvWeights<Numbers>>> {
        kept(&self.convs, format!("image|{name}"), || {
            let source = source(weights, name)?;
            let [outputs, inputs, kernel, _] = source.shape();
            let weight = |output: usize, y: usize, i: usize| {
                source.at(output, normalise.channel(i % inputs), y, i / inputs)
            };
            let shape = [outputs, kernel, kernel * inputs];
            Ok(ConvWeights::<Numbers>::pack(isa, shape, weight, |output| {
                source.bias[output]
            }))
        })
    }

    /// 3x3 convolutions called `names`, one behind the other.
    pub fn winograd(
        &self,
        isa: Isa,
        weights: &Weights,
        names: &[&str],
    ) -> Result<Arc<WinogradWeights>> {
        kept(&self.winograds, names.join("|"), || {
            let joined = Joined::of(weights, names)?;
            let shape = [joined.outputs, joined.inputs()];
            let products = winograd_weights(isa, shape, |output, input, y, x| {
                let (source, own) = joined.find(output);
                source.at(own, input, y, x)
            });
            let padded = joined.outputs.next_multiple_of(isa.lanes());
            let bias = |output| {
                if output < joined.outputs {
                    joined.bias(output)
                } else {
                    0.0
                }
            };
            let bias: Vec<f32> = (0..padded).map(bias).collect();
            let bias = Buffer::of(&bias);
            Ok(WinogradWeights { products, bias })
        })
    }

    /// Weights and bias of a convolution within each channel: `[block][tap][lane]`, `[block][lane]`.
    pub fn depthwise(
        &self,
        isa: Isa,
        weights: &Weights,
        name: &str,
    ) -> Result<(Arc<Buffer>, Arc<Buffer>)> {
        let source = source(weights, name)?;
        let [channels, _, kernel, _] = source.shape();
        let (lanes, taps) = (isa.lanes(), kernel * kernel);
        let blocks = channels.div_ceil(lanes);
        let taps = kept(&self.buffers, format!("{name}.weight"), || {
            let mut packed = Buffer::zeros(blocks * taps * lanes);
            for channel in 0..channels {
                for tap in 0..taps {
                    let at = (channel / lanes * taps + tap) * lanes + channel % lanes;
                    packed.as_mut_slice()[at] = source.at(channel, 0, tap / kernel, tap % kernel);
                }
            }
            Ok(packed)
        })?;
        let bias = kept(&self.buffers, format!("{name}.bias"), || {
            Ok(Buffer::of(source.bias))
        })?;
        Ok((taps, bias))
    }

    /// The layer `name` over `inputs`.
    pub fn linear(
        &self,
        isa: Isa,
        weights: &Weights,
        name: &str,
        inputs: &[Map],
    ) -> Result<Arc<LinearWeights>> {
        let shapes: Vec<_> = inputs.iter().map(|map| map.shape).collect();
        kept(&self.linears, format!("{name}|{shapes:?}"), || {
            let numbers = shapes
                .iter()
                .map(|shape| shape.iter().product::<usize>())
                .sum();
            let matrix = weights.tensor(&format!("{name}.weight"))?;
            let outputs = matrix.shape.get(1).copied().unwrap_or(0);
            let values = weights.get(&format!("{name}.weight"), &[numbers, outputs])?;
            let bias = weights.get(&format!("{name}.bias"), &[outputs])?;
            let lanes = isa.lanes();
            let all: usize = inputs.iter().map(LinearStep::numbers).sum();
            let mut packed = Buffer::zeros(outputs.div_ceil(lanes) * all * lanes);
            let (mut row, mut start) = (0, 0);
            for map in inputs {
                let [channels, height, width] = map.shape;
                for at in 0..channels * height * width {
                    let (channel, y, x) = (at / (height * width), at / width % height, at % width);
                    let block = (y * map.blocks() + channel / lanes) * width;
                    let input = start + (block + x) * lanes + channel % lanes;
                    for (output, &value) in values[row..row + outputs].iter().enumerate() {
                        let to = (output / lanes * all + input) * lanes + output % lanes;
                        packed.as_mut_slice()[to] = value;
                    }
                    row += outputs;
                }
                start += LinearStep::numbers(map);
            }
            Ok(LinearWeights {
                weights: packed,
                bias: Buffer::of(bias),
            })
        })
    }

    /// The tensor `name` `[C]` in blocks.
    pub fn vector(&self, weights: &Weights, name: &str) -> Result<Arc<Buffer>> {
        let values = &weights.tensor(name)?.values;
        kept(&self.buffers, name.to_owned(), || Ok(Buffer::of(values)))
    }

    /// The prior `name` of maps: `[block][pixel][lane]`.
    pub fn prior(&self, isa: Isa, weights: &Weights, name: &str, map: &Map) -> Result<Arc<Buffer>> {
        let [points, height, width] = map.shape;
        let pixels = height * width;
        let values = weights.get(name, &[points, pixels])?;
        let lanes = isa.lanes();
        kept(&self.buffers, name.to_owned(), || {
            let mut packed = Buffer::zeros(map.blocks() * pixels * lanes);
            for (at, &value) in values.iter().enumerate() {
                let (point, pixel) = (at / pixels, at % pixels);
                let to = (point / lanes * pixels + pixel) * lanes + point % lanes;
                packed.as_mut_slice()[to] = value;
            }
            Ok(packed)
        })
    }
}
