//! The first look: photos to faces with coarse landmarks.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use rayon::prelude::*;
use retinamark_core::infer::{Scaled, fit, votes};

use super::{DetectOptions, Prepared};
use crate::anchors::{AnchorCache, Anchors, Coder};
use crate::config::Config;
use crate::geometry::Face;
use crate::model::{Outputs, RetinaFace};
use crate::postprocess::{self, Kept};

/// Most photos in one pass of the network.
const BATCH: usize = 4;

/// A detector with everything that turns its outputs into faces.
#[derive(Debug)]
pub(super) struct Detector {
    model: RetinaFace,
    config: Config,
    device: Device,
    points: usize,
    anchors: AnchorCache,
    coder: Coder,
    stride: u32,
}

impl Detector {
    /// From a model and the config it was built with. Batch norms are folded into the
    /// convolutions before them.
    pub(super) fn new(model: RetinaFace, config: &Config, device: &Device) -> Result<Self> {
        let stride = config.anchors.strides.iter().copied().max();
        let stride = u32::try_from(stride.unwrap_or(0)).unwrap_or(0);
        ensure!(stride > 0, "anchors.strides needs at least one stride");
        Ok(Self {
            model: model.fold(),
            points: config.landmarks.scheme()?.len(),
            anchors: AnchorCache::new(&config.anchors),
            coder: Coder {
                variances: config.anchors.variances,
            },
            config: config.clone(),
            device: device.clone(),
            stride,
        })
    }

    /// Pixels of all network inputs for a photo of `width` x `height` pixels.
    pub(super) fn input_pixels(&self, [width, height]: [u32; 2], options: &DetectOptions) -> u64 {
        let pixels = |size| {
            let [w, h] = fit(width, height, size, self.stride).input;
            u64::from(w) * u64::from(h)
        };
        options.sizes().map(pixels).sum()
    }

    /// What the network needs of a photo.
    pub(super) fn prepare(&self, photo: &RgbImage, options: &DetectOptions) -> Result<Prepared> {
        let scaled = |size| Scaled::new(photo, size, self.stride, &self.config.input);
        Ok(Prepared(
            options.sizes().map(scaled).collect::<Result<_, _>>()?,
        ))
    }

    /// The faces of each photo, in the order of `inputs`. Photos of the same shape share passes of
    /// the network, and passes run in parallel.
    pub(super) fn run_all(
        &self,
        inputs: Vec<Prepared>,
        options: &DetectOptions,
    ) -> Result<Vec<Vec<Face>>> {
        let mut faces = vec![Vec::new(); inputs.len()];
        let mut shapes: BTreeMap<[u32; 2], Vec<(usize, Scaled)>> = BTreeMap::new();
        for (index, input) in inputs.into_iter().enumerate() {
            for input in input.0 {
                shapes
                    .entry(input.input())
                    .or_default()
                    .push((index, input));
            }
        }
        let passes: Vec<Vec<(usize, Scaled)>> =
            shapes.into_values().flat_map(split_passes).collect();
        let found: Vec<Vec<(usize, Vec<Face>)>> = passes
            .into_par_iter()
            .map(|pass| {
                let (indices, inputs): (Vec<_>, Vec<_>) = pass.into_iter().unzip();
                Ok(indices
                    .into_iter()
                    .zip(self.run(inputs, options)?)
                    .collect())
            })
            .collect::<Result<_>>()?;
        for (index, of_photo) in found.into_iter().flatten() {
            faces[index].push(of_photo);
        }
        let options = options.postprocess();
        let merged = faces.into_iter().map(|of_photo| merge(of_photo, &options));
        Ok(merged.collect())
    }

    /// One pass over photos of one input size.
    fn run(&self, mut inputs: Vec<Scaled>, options: &DetectOptions) -> Result<Vec<Vec<Face>>> {
        let Some(input) = inputs.first().map(Scaled::input) else {
            return Ok(Vec::new());
        };
        let anchors = self.anchors.get(input);
        let outputs = self.forward(&mut inputs, input);
        let kept = self.keep(&inputs, &outputs, &anchors, options)?;
        let deltas = self.landmark_deltas(&outputs, &kept)?;
        let mut rows = deltas.chunks_exact((2 * self.points).max(1));
        let faces = kept.iter().zip(&inputs).map(|(kept, input)| {
            let faces = kept.iter().map(|voters| {
                let rows: Vec<&[f32]> = rows.by_ref().take(voters.len()).collect();
                self.face(voters, &rows, &anchors, input)
            });
            faces.flatten().collect()
        });
        Ok(faces.collect())
    }

    /// Takes the pixels out of `inputs`.
    fn forward(&self, inputs: &mut [Scaled], [width, height]: [u32; 2]) -> Outputs {
        let shape = [inputs.len(), 3, height as usize, width as usize];
        let pixels = match inputs {
            [one] => std::mem::take(&mut one.pixels),
            many => {
                let all: Vec<Vec<f32>> = many
                    .iter_mut()
                    .map(|input| std::mem::take(&mut input.pixels))
                    .collect();
                all.concat()
            }
        };
        let data = TensorData::new(pixels, shape);
        self.model
            .forward(Tensor::<4>::from_data(data, &self.device))
    }

    /// For every face of every photo the anchors that say where its landmarks are, the one that
    /// stands for it first.
    fn keep(
        &self,
        inputs: &[Scaled],
        outputs: &Outputs,
        anchors: &Anchors,
        options: &DetectOptions,
    ) -> Result<Vec<Vec<Vec<Kept>>>> {
        let logits = outputs.logits.clone().try_into_vec_as::<f32>()?;
        let deltas = outputs.box_deltas.clone().try_into_vec_as::<f32>()?;
        let (logits, deltas) = (logits.as_chunks::<2>().0, deltas.as_chunks::<4>().0);
        let n = anchors.boxes_cxcywh().len();
        ensure!(
            n > 0 && logits.len() == n * inputs.len() && deltas.len() == logits.len(),
            "the network gave {} scores and {} boxes for {} photos of {n} anchors each",
            logits.len(),
            deltas.len(),
            inputs.len()
        );
        let options = options.postprocess();
        let photos = inputs.iter().zip(logits.chunks(n).zip(deltas.chunks(n)));
        let kept = photos.map(|(input, (logits, deltas))| {
            let scores: Vec<f32> = logits.iter().map(face_probability).collect();
            postprocess::keep(
                &scores,
                deltas,
                anchors,
                self.coder,
                &input.letterbox,
                &options,
            )
        });
        Ok(kept.collect())
    }

    /// Rows of 2L numbers for all kept anchors, photo by photo.
    fn landmark_deltas(&self, outputs: &Outputs, kept: &[Vec<Vec<Kept>>]) -> Result<Vec<f32>> {
        let at: Vec<(usize, usize)> = kept
            .iter()
            .enumerate()
            .flat_map(|(photo, kept)| kept.iter().flatten().map(move |k| (photo, k.anchor)))
            .collect();
        if at.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.model.landmark_deltas_at(outputs, &at); // [P, 2L]
        Ok(rows.try_into_vec_as::<f32>()?)
    }

    /// `None` when numbers went beyond what `f32` holds, or nothing of the box is on the photo.
    fn face(
        &self,
        voters: &[Kept],
        rows: &[&[f32]],
        anchors: &Anchors,
        input: &Scaled,
    ) -> Option<Face> {
        let kept = voters.first()?;
        let [width, height] = input.photo.map(|v| v as f32);
        let box_xyxy = input
            .letterbox
            .box_to_photo(&kept.box_xyxy)
            .clip(width, height);
        let landmarks = votes::landmarks(voters, rows, anchors, self.coder, self.points);
        let to_photo = |point| input.letterbox.to_photo(point);
        let landmarks: Vec<_> = landmarks.into_iter().map(to_photo).collect();
        let finite = landmarks.iter().flatten().all(|v| v.is_finite());
        (finite && box_xyxy.has_size()).then_some(Face {
            box_xyxy,
            score: kept.score,
            landmarks,
            landmark_scores: None,
        })
    }
}

/// What looks at a photo at several sizes have found, as one: of faces that overlap the best stays.
fn merge(mut looks: Vec<Vec<Face>>, options: &postprocess::Options) -> Vec<Face> {
    if looks.len() <= 1 {
        return looks.pop().unwrap_or_default();
    }
    let mut faces = looks.concat();
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let candidate = |(index, face): (usize, &Face)| Kept {
        anchor: index,
        score: face.score,
        box_xyxy: face.box_xyxy,
    };
    let candidates: Vec<Kept> = faces.iter().enumerate().map(candidate).collect();
    let kept = postprocess::suppress(&candidates, options.nms_iou, options.max_faces);
    kept.iter().map(|kept| faces[kept.anchor].clone()).collect()
}

/// Groups of at most [`BATCH`], but enough of them to keep every thread busy.
fn split_passes<T>(mut all: Vec<T>) -> Vec<Vec<T>> {
    let each = all
        .len()
        .div_ceil(rayon::current_num_threads())
        .clamp(1, BATCH);
    let mut passes = Vec::with_capacity(all.len().div_ceil(each));
    while all.len() > each {
        passes.push(all.split_off(all.len() - each));
    }
    passes.push(all);
    passes
}

/// Softmax of (background, face), second part.
fn face_probability(&[background, face]: &[f32; 2]) -> f32 {
    1.0 / (1.0 + (background - face).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_of_two_neither_overflows_nor_hides_nan() {
        assert_eq!(face_probability(&[0.0, 0.0]), 0.5);
        assert_eq!(face_probability(&[-1e4, 1e4]), 1.0);
        assert_eq!(face_probability(&[1e4, -1e4]), 0.0);
        assert!((face_probability(&[1.0, 3.0]) - 0.880_797).abs() < 1e-6);
        assert!(face_probability(&[f32::NAN, 1.0]).is_nan());
    }

    #[test]
    fn looks_at_several_sizes_become_one() {
        let face = |score, x| Face {
            box_xyxy: [x, 0.0, x + 10.0, 10.0].into(),
            score,
            landmarks: Vec::new(),
            landmark_scores: None,
        };
        let options = DetectOptions::from(&crate::config::DetectConfig::default()).postprocess();
        let looks = vec![
            vec![face(0.9, 0.0), face(0.3, 50.0)],
            vec![face(0.8, 51.0), face(0.7, 1.0), face(0.6, 90.0)],
        ];
        let merged = merge(looks, &options);
        let scores: Vec<f32> = merged.iter().map(|f| f.score).collect();
        assert_eq!(scores, [0.9, 0.8, 0.6]);
        // One look stays as it is, whatever overlaps.
        assert_eq!(
            merge(vec![vec![face(0.5, 0.0), face(0.4, 0.0)]], &options).len(),
            2
        );
        assert!(merge(Vec::new(), &options).is_empty());
    }

    #[test]
    fn passes_hold_everything_once() {
        for n in [1, 3, 4, 9, 100] {
            let passes = split_passes((0..n).collect());
            assert!(passes.iter().all(|p| !p.is_empty() && p.len() <= BATCH));
            let mut all: Vec<i32> = passes.into_iter().flatten().collect();
            all.sort_unstable();
            assert_eq!(all, (0..n).collect::<Vec<_>>());
        }
    }
}
