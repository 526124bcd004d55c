//! Detectors of other programs, from ONNX files.

use std::sync::Arc;

use super::network::{Answer, FirstLook};
use super::{Scaled, executor};
use crate::anchors::{Anchors, Head};
use crate::engine::{Engine, Image, Isa, Normalise, Outputs};
use crate::error::{Error, Result, bail};
use crate::onnx;
use crate::settings::{
    AnchorConfig, BoxKind, ChannelOrder, HeadConfig, HeadKind, InputConfig, LandmarksConfig,
    SchemeName, Settings,
};

/// Numbers of a face's landmarks: SCRFD gives five.
const COORDINATES: usize = 10;

/// A size at which every level has places, and no two levels as many.
const SAMPLE: [usize; 2] = [640, 640];

/// An SCRFD detector (Guo et al., 2021, arXiv:2105.04714) as InsightFace exports it: for each of
/// the strides 8, 16 and 32 with two anchors a place, scores `[N,1]` behind the sigmoid, distances
/// to the box's sides `[N,4]` and, perhaps, to five landmarks `[N,10]`, in strides.
#[derive(Debug)]
pub struct Scrfd {
    engine: Engine,
    levels: Vec<Level>,
    settings: Settings,
}

/// Names of a level's outputs.
#[derive(Clone, Debug, PartialEq)]
struct Level {
    stride: usize,
    scores: String,
    boxes: String,
    landmarks: Option<String>,
}

impl Scrfd {
    /// From the bytes of a file.
    ///
    /// # Errors
    /// When it cannot be read, or its outputs are not those of an SCRFD detector.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let bytes: Arc<[u8]> = bytes.into();
        let model = onnx::read(&bytes, Some(SAMPLE))?;
        let settings = settings();
        let levels = settings.anchors.strides.iter().map(|&stride| {
            let anchors = SAMPLE[0].div_ceil(stride) * SAMPLE[1].div_ceil(stride) * 2;
            let find = |k: usize| {
                let is = |id| model.graph.node(id).shape == [anchors, k, 1];
                let outputs = model.graph.outputs().iter();
                let mut found = outputs
                    .filter(|(_, id)| is(*id))
                    .map(|(name, _)| name.clone());
                found.next()
            };
            Ok(Level {
                stride,
                scores: find(1).ok_or_else(|| misfit(anchors, 1))?,
                boxes: find(4).ok_or_else(|| misfit(anchors, 4))?,
                landmarks: find(COORDINATES),
            })
        });
        let levels: Vec<Level> = levels.collect::<Result<_>>()?;
        let normalise = Normalise::of(&settings.input)?;
        let weights = model.weights;
        let describe = move |[_, height, width]: [usize; 3]| {
            Ok(onnx::read(&bytes, Some([height, width]))?.graph)
        };
        Ok(Self {
            engine: Engine::new(
                describe,
                [3, SAMPLE[0], SAMPLE[1]],
                &weights,
                normalise,
                Isa::best(),
            )?,
            levels,
            settings,
        })
    }

    /// What the numbers of every such detector mean: input, anchors, heads, and five landmarks.
    pub fn meaning() -> Settings {
        settings()
    }

    /// Its anchors, what its input is to be like, and five landmarks.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}

fn misfit(anchors: usize, k: usize) -> Error {
    Error::Network(format!(
        "no SCRFD detector: it has no output of {anchors} x {k} numbers at 640 x 640 pixels"
    ))
}

fn settings() -> Settings {
    Settings {
        landmarks: LandmarksConfig {
            scheme: SchemeName::Five,
            custom: None,
        },
        input: InputConfig {
            channel_order: ChannelOrder::Rgb,
            mean: vec![127.5; 3],
            std: vec![128.0; 3],
        },
        anchors: AnchorConfig {
            offset: 0.0,
            ..AnchorConfig::default()
        },
        head: HeadConfig {
            kind: HeadKind::Quality,
            boxes: BoxKind::Distances,
        },
        ..Settings::default()
    }
}

impl FirstLook for Scrfd {
    fn run<'a>(&'a self, inputs: &[Scaled]) -> Result<Box<dyn Answer + 'a>> {
        let images: Vec<Image> = inputs
            .iter()
            .map(|input| executor::image(&input.pixels))
            .collect();
        let [width, height] = inputs.first().map_or([0; 2], Scaled::input);
        let outputs = self
            .engine
            .run(&images, [height as usize, width as usize])?;
        let mut answer = Found {
            anchors: Anchors::generate(&self.settings.anchors, [width, height]),
            head: Head::new(&self.settings.head, &self.settings.anchors),
            detector: self,
            logits: Vec::new(),
            box_deltas: Vec::new(),
            outputs,
        };
        for photo in 0..inputs.len() {
            answer.translate(photo)?;
        }
        Ok(Box::new(answer))
    }
}

/// What an SCRFD detector says, in our terms.
struct Found<'a> {
    detector: &'a Scrfd,
    outputs: Outputs,
    anchors: Anchors,
    head: Head,
    logits: Vec<Vec<f32>>,
    box_deltas: Vec<Vec<f32>>,
}

impl Found<'_> {
    fn translate(&mut self, photo: usize) -> Result<()> {
        let (mut logits, mut deltas) = (Vec::new(), Vec::new());
        for level in &self.detector.levels {
            let boxes = self.outputs.rows(&level.boxes, photo)?.as_chunks::<4>().0;
            for (&score, distances) in self.outputs.rows(&level.scores, photo)?.iter().zip(boxes) {
                logits.push((score / (1.0 - score)).ln());
                let Some(&anchor) = self.anchors.boxes_cxcywh().get(deltas.len() / 4) else {
                    bail!(Network, "it gives more scores than there are anchors");
                };
                // From strides to sides of the anchor.
                deltas.extend(distances.map(|d| d * level.stride as f32 / anchor[2]));
            }
        }
        self.logits.push(logits);
        self.box_deltas.push(deltas);
        Ok(())
    }

    fn of(all: &[Vec<f32>], photo: usize) -> Result<&[f32]> {
        let own = all.get(photo).map(Vec::as_slice);
        own.ok_or_else(|| Error::Network("there is no such photo".to_owned()))
    }
}

impl Answer for Found<'_> {
    fn logits(&self, photo: usize) -> Result<&[f32]> {
        Self::of(&self.logits, photo)
    }

    fn box_deltas(&self, photo: usize) -> Result<&[f32]> {
        Self::of(&self.box_deltas, photo)
    }

    fn landmark_deltas(&self, at: &[(usize, usize)]) -> Result<Vec<f32>> {
        let mut deltas = Vec::with_capacity(at.len() * COORDINATES);
        for &(photo, index) in at {
            let mut first = 0;
            for level in &self.detector.levels {
                let scores = self.outputs.rows(&level.scores, photo)?.len();
                if (first..first + scores).contains(&index) {
                    let anchor = self.anchors.boxes_cxcywh()[index];
                    let [x, y, ..] = anchor;
                    let distances: &[f32] = match &level.landmarks {
                        Some(name) => {
                            let all = self.outputs.rows(name, photo)?;
                            &all[(index - first) * COORDINATES..][..COORDINATES]
                        }
                        // In the middle, for want of any.
                        None => &[0.0; COORDINATES],
                    };
                    let stride = level.stride as f32;
                    for [dx, dy] in distances.as_chunks::<2>().0 {
                        let point = [x + dx * stride, y + dy * stride];
                        deltas.extend(self.head.coder.encode_point(anchor, point));
                    }
                }
                first += scores;
            }
        }
        Ok(deltas)
    }
}
