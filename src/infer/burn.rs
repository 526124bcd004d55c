//! Networks on burn's devices.

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use retinamark_core::infer::{Answer, FirstLook, RawLandmarks, Scaled, SecondLook};
use retinamark_core::{Error, Result};

use crate::config::InputConfig;
use crate::imaging;
use crate::model::{self, Network, Outputs, RetinaFace};

/// A detector.
#[derive(Debug)]
pub struct Detector {
    model: RetinaFace,
    input: InputConfig,
    device: Device,
}

impl Detector {
    /// Batch norms are folded into the convolutions before them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(model: RetinaFace, input: &InputConfig, device: &Device) -> anyhow::Result<Self> {
        Ok(Self {
            model: model.fold()?,
            input: input.clone(),
            device: device.clone(),
        })
    }
}

impl FirstLook for Detector {
    fn run<'a>(&'a self, inputs: &[Scaled]) -> Result<Box<dyn Answer + 'a>> {
        let size = inputs.first().map_or([0; 2], Scaled::input);
        let photos: Vec<&RgbImage> = inputs.iter().map(|input| &input.pixels).collect();
        let outputs = self
            .model
            .forward(tensor(&photos, size, &self.input, &self.device));
        Ok(Box::new(Found {
            detector: self,
            logits: outputs
                .logits
                .clone()
                .try_into_vec_as::<f32>()
                .map_err(device)?,
            box_deltas: outputs
                .box_deltas
                .clone()
                .try_into_vec_as::<f32>()
                .map_err(device)?,
            photos: inputs.len(),
            outputs,
        }))
    }
}

/// `[B,C,H,W]` of photos in the top left corners of inputs of `[width, height]`.
fn tensor(photos: &[&RgbImage], size: [u32; 2], input: &InputConfig, device: &Device) -> Tensor<4> {
    let [width, height] = size.map(|side| side as usize);
    let channels = input.channel_order.channels();
    let mut pixels = vec![0.0; photos.len() * channels * width * height];
    let planes = pixels.chunks_exact_mut((channels * width * height).max(1));
    for (photo, out) in photos.iter().zip(planes) {
        imaging::fill_tensor(photo, input, [width, height], out);
    }
    let shape = [photos.len(), channels, height, width];
    Tensor::from_data(TensorData::new(pixels, shape), device)
}

struct Found<'a> {
    detector: &'a Detector,
    outputs: Outputs,
    logits: Vec<f32>,
    box_deltas: Vec<f32>,
    photos: usize,
}

impl Found<'_> {
    fn of<'b>(&self, all: &'b [f32], photo: usize) -> Result<&'b [f32]> {
        let each = all.len() / self.photos.max(1);
        let own = all.get(photo * each..(photo + 1) * each);
        own.ok_or_else(|| Error::Network("there is no such photo".to_owned()))
    }
}

impl Answer for Found<'_> {
    fn logits(&self, photo: usize) -> Result<&[f32]> {
        self.of(&self.logits, photo)
    }

    fn box_deltas(&self, photo: usize) -> Result<&[f32]> {
        self.of(&self.box_deltas, photo)
    }

    fn landmark_deltas(&self, at: &[(usize, usize)]) -> Result<Vec<f32>> {
        let rows = self.detector.model.landmark_deltas_at(&self.outputs, at); // [P, 2L]
        rows.try_into_vec_as::<f32>().map_err(device)
    }
}

/// An aligner.
#[derive(Debug)]
pub struct Aligner {
    model: model::Aligner,
    input: InputConfig,
    device: Device,
}

impl Aligner {
    /// Batch norms are folded into the convolutions before them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        model: model::Aligner,
        input: &InputConfig,
        device: &Device,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            model: model.fold()?,
            input: input.clone(),
            device: device.clone(),
        })
    }
}

impl SecondLook for Aligner {
    fn run(&self, crops: &[RgbImage]) -> Result<Vec<RawLandmarks>> {
        let size = [self.model.side() as u32; 2];
        let crops: Vec<&RgbImage> = crops.iter().collect();
        let outputs = self
            .model
            .forward(tensor(&crops, size, &self.input, &self.device));
        let points = self.model.landmarks();
        let deltas = outputs.deltas.try_into_vec_as::<f32>().map_err(device)?;
        let scales = match outputs.log_scales {
            Some(scales) => scales.try_into_vec_as::<f32>().map_err(device)?,
            None => Vec::new(),
        };
        let poses = match outputs.pose {
            Some(poses) => poses.try_into_vec_as::<f32>().map_err(device)?,
            None => Vec::new(),
        };
        let aligned = |(crop, deltas): (usize, &[f32])| RawLandmarks {
            deltas: deltas.to_vec(),
            log_scales: scales
                .get(crop * points..(crop + 1) * points)
                .map(<[f32]>::to_vec),
            pose: poses.as_chunks().0.get(crop).copied(),
        };
        Ok(deltas
            .chunks_exact(2 * points)
            .enumerate()
            .map(aligned)
            .collect())
    }
}

fn device(error: impl std::fmt::Display) -> Error {
    Error::Network(format!("the device fails: {error}"))
}
