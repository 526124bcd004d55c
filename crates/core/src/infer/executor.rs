//! Networks on the executor.

use std::sync::Arc;

use image::RgbImage;

use super::Scaled;
use super::network::{Answer, FirstLook, RawLandmarks, SecondLook};
use crate::anchors::{Coder, Head};
use crate::engine::{Engine, Image, Isa, Normalise, Outputs};
use crate::error::Result;
use crate::graph::{Graph, Shape, Trace, Weights, passes};
use crate::net::{AlignerNet, DetectorNet, LEVELS, MAX_LOG_SIZE};
use crate::settings::Settings;

/// Outputs of the levels.
const FEATURES: [&str; LEVELS] = ["p3", "p4", "p5"];

/// Windows that are looked at together.
const WINDOWS: usize = 16;

/// What an executor needs of a network beside its weights.
#[derive(Clone)]
pub struct Program {
    /// Writes it down for an input of some shape.
    pub describe: Arc<dyn Fn(Shape) -> Result<Graph> + Send + Sync>,
    /// A shape for which it can be written down.
    pub sample: Shape,
    /// What its images are to be like.
    pub normalise: Normalise,
}

impl Program {
    /// The detector that `settings` describe, but for its landmark heads.
    ///
    /// # Errors
    /// When the settings contradict themselves.
    pub fn detector(settings: &Settings) -> Result<Self> {
        let net = DetectorNet::of_settings(settings)?;
        let describe = move |shape: Shape| {
            let (mut trace, image) = Trace::of(shape);
            let outputs = net.forward(&mut trace, &image);
            let mut named = vec![
                ("logits", outputs.logits),
                ("box_deltas", outputs.box_deltas),
            ];
            named.extend(FEATURES.into_iter().zip(outputs.features));
            Ok(trace.finish(&named))
        };
        Ok(Self {
            describe: Arc::new(describe),
            sample: [net.colours, 64, 64],
            normalise: Normalise::of(&settings.input)?,
        })
    }

    /// The aligner that `settings` describe.
    ///
    /// # Errors
    /// When the settings contradict themselves.
    pub fn aligner(settings: &Settings) -> Result<Self> {
        let net = AlignerNet::of_settings(settings)?;
        let describe = move |shape: Shape| {
            let (mut trace, image) = Trace::of(shape);
            let outputs = net.forward(&mut trace, &image);
            Ok(trace.finish(&outputs.named()))
        };
        Ok(Self {
            describe: Arc::new(describe),
            sample: [net.colours, net.side, net.side],
            normalise: Normalise::of(&settings.input)?,
        })
    }

    /// Names of the convolutions that can be in bytes.
    ///
    /// # Errors
    /// When the network cannot be written down.
    pub fn byte_convs(&self) -> Result<Vec<String>> {
        let graph = passes::fuse(&passes::without_norms(&(self.describe)(self.sample)?));
        let names = graph.byte_convs().into_iter();
        Ok(names.map(|id| graph.node(id).name.clone()).collect())
    }

    fn engine(self, weights: &Weights) -> Result<Engine> {
        let describe = self.describe;
        let describe = move |shape| describe(shape);
        Engine::new(describe, self.sample, weights, self.normalise, Isa::best())
    }
}

/// A detector.
#[derive(Debug)]
pub struct Detector {
    net: DetectorNet,
    whole: Engine,
    /// The landmark head of each level, on windows.
    towers: [Engine; LEVELS],
    /// Of boxes, where the landmark heads speak in terms of the predicted one.
    in_box: Option<Coder>,
}

impl Detector {
    /// With the tensors of the detector that `settings` describe.
    ///
    /// # Errors
    /// When they are not those.
    pub fn new(settings: &Settings, weights: &Weights) -> Result<Self> {
        let net = DetectorNet::of_settings(settings)?;
        let (normalise, isa) = (Normalise::of(&settings.input)?, Isa::best());
        let tower = |level: usize| {
            let describe = move |shape: Shape| {
                let (mut trace, window) = Trace::of(shape);
                let deltas = net.landmarks_of_windows(&mut trace, level, &window);
                Ok(trace.finish(&[("deltas", deltas)]))
            };
            let sample = [net.landmark_channels(), net.window(), net.window()];
            Engine::new(describe, sample, weights, normalise, isa)
        };
        let coder = Head::new(&settings.head, &settings.anchors).coder;
        Ok(Self {
            net,
            whole: Program::detector(settings)?.engine(weights)?,
            towers: [tower(0)?, tower(1)?, tower(2)?],
            in_box: settings.model.landmarks_in_box.then_some(coder),
        })
    }
}

impl FirstLook for Detector {
    fn run<'a>(&'a self, inputs: &[Scaled]) -> Result<Box<dyn Answer + 'a>> {
        let images: Vec<Image> = inputs.iter().map(|input| image(&input.pixels)).collect();
        let [width, height] = inputs.first().map_or([0; 2], Scaled::input);
        let outputs = self.whole.run(&images, [height as usize, width as usize])?;
        Ok(Box::new(Found {
            detector: self,
            outputs,
        }))
    }
}

/// A photo as the executor reads it.
pub fn image(pixels: &RgbImage) -> Image<'_> {
    Image::Rgb {
        pixels: pixels.as_raw(),
        size: [pixels.height() as usize, pixels.width() as usize],
    }
}

/// What a detector says about some photos.
struct Found<'a> {
    detector: &'a Detector,
    outputs: Outputs,
}

impl Answer for Found<'_> {
    fn logits(&self, photo: usize) -> Result<&[f32]> {
        self.outputs.rows("logits", photo)
    }

    fn box_deltas(&self, photo: usize) -> Result<&[f32]> {
        self.outputs.rows("box_deltas", photo)
    }

    fn landmark_deltas(&self, at: &[(usize, usize)]) -> Result<Vec<f32>> {
        let net = &self.detector.net;
        let mut deltas = vec![0.0; at.len() * net.coordinates];
        let mut first_anchor = 0;
        for (level, name) in FEATURES.into_iter().enumerate() {
            let [_, height, width] = self.outputs.shape(name)?;
            let past_anchor = first_anchor + height * width * net.per_location;
            let own = |&(_, &(_, anchor)): &(usize, &(usize, usize))| {
                (first_anchor..past_anchor).contains(&anchor)
            };
            let mut asked: Vec<Asked> = at
                .iter()
                .enumerate()
                .filter(own)
                .map(|(row, &(photo, anchor))| {
                    let place = (anchor - first_anchor) / net.per_location;
                    Asked {
                        place: [photo, place / width, place % width],
                        anchor: (anchor - first_anchor) % net.per_location,
                        row,
                    }
                })
                .collect();
            // Anchors of one place share a window.
            asked.sort_by_key(|asked| asked.place);
            self.look_at(level, name, &asked, &mut deltas)?;
            first_anchor = past_anchor;
        }
        self.in_anchor_terms(at, &mut deltas)?;
        Ok(deltas)
    }
}

/// Where landmarks are wanted.
struct Asked {
    /// Photo, row, column.
    place: [usize; 3],
    /// Which of the anchors there.
    anchor: usize,
    /// Row of the result.
    row: usize,
}

impl Found<'_> {
    /// Landmarks of one level, in the terms of the head.
    fn look_at(&self, level: usize, name: &str, asked: &[Asked], deltas: &mut [f32]) -> Result<()> {
        let net = &self.detector.net;
        let mut places: Vec<[usize; 3]> = asked.iter().map(|asked| asked.place).collect();
        places.dedup();
        let mut asked = asked.iter().peekable();
        for places in places.chunks(WINDOWS) {
            let tower = &self.detector.towers[level];
            let found = tower.run_windows(&self.outputs, name, places, net.window())?;
            for (window, place) in places.iter().enumerate() {
                let values = found.rows("deltas", window)?;
                while let Some(asked) = asked.next_if(|asked| asked.place == *place) {
                    let from = &values[asked.anchor * net.coordinates..][..net.coordinates];
                    let row = asked.row * net.coordinates;
                    deltas[row..row + net.coordinates].copy_from_slice(from);
                }
            }
        }
        Ok(())
    }

    /// What the landmark heads say relative to the predicted boxes, relative to the anchors.
    fn in_anchor_terms(&self, at: &[(usize, usize)], deltas: &mut [f32]) -> Result<()> {
        let Some(coder) = self.detector.in_box else {
            return Ok(());
        };
        let rows = deltas.chunks_exact_mut(self.detector.net.coordinates);
        for (row, &(photo, anchor)) in rows.zip(at) {
            let boxes = self.box_deltas(photo)?.as_chunks::<4>().0;
            let Some(&told) = boxes.get(anchor) else {
                continue;
            };
            let ([x, y], size) = coder.frame(told, MAX_LOG_SIZE);
            for point in row.as_chunks_mut::<2>().0 {
                *point = [point[0] * size[0] + x, point[1] * size[1] + y];
            }
        }
        Ok(())
    }
}

/// An aligner.
#[derive(Debug)]
pub struct Aligner {
    net: AlignerNet,
    engine: Engine,
}

impl Aligner {
    /// With the tensors of the aligner that `settings` describe.
    ///
    /// # Errors
    /// When they are not those.
    pub fn new(settings: &Settings, weights: &Weights) -> Result<Self> {
        let net = AlignerNet::of_settings(settings)?;
        let engine = Program::aligner(settings)?.engine(weights)?;
        Ok(Self { net, engine })
    }
}

impl SecondLook for Aligner {
    fn run(&self, crops: &[RgbImage]) -> Result<Vec<RawLandmarks>> {
        let images: Vec<Image> = crops.iter().map(image).collect();
        let outputs = self.engine.run(&images, [self.net.side; 2])?;
        let aligned = |crop: usize| {
            let rows = |name| outputs.rows(name, crop);
            Ok(RawLandmarks {
                deltas: rows("deltas")?.to_vec(),
                log_scales: match self.net.uncertainty {
                    true => Some(rows("log_scales")?.to_vec()),
                    false => None,
                },
                pose: match self.net.pose {
                    true => rows("pose")?.first_chunk().copied(),
                    false => None,
                },
            })
        };
        (0..crops.len()).map(aligned).collect()
    }
}
