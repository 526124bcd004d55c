//! The first look: photos to faces with coarse landmarks.

use image::RgbImage;

use super::network::{Answer, FirstLook};
use super::{Clock, DetectOptions, InputSize, Prepared, Scaled, Stage, closer, fit, turned, votes};
use crate::anchors::{AnchorCache, Anchors, Head};
use crate::error::{Result, ensure};
use crate::geometry::{Face, Scheme};
use crate::parallel;
use crate::postprocess::{self, Kept};
use crate::settings::Settings;

/// A detector with everything that turns its outputs into faces.
#[derive(Debug)]
pub(super) struct Detector {
    network: Box<dyn FirstLook>,
    scheme: Scheme,
    anchors: AnchorCache,
    head: Head,
    stride: u32,
}

impl Detector {
    /// Of a network with the anchors and landmarks of `settings`.
    pub(super) fn new(network: Box<dyn FirstLook>, settings: &Settings) -> Result<Self> {
        let stride = settings.anchors.strides.iter().copied().max();
        let stride = u32::try_from(stride.unwrap_or(0)).unwrap_or(0);
        ensure!(
            stride > 0,
            Settings,
            "anchors.strides needs at least one stride"
        );
        Ok(Self {
            network,
            scheme: settings.landmarks.scheme()?,
            anchors: AnchorCache::new(&settings.anchors),
            head: Head::new(&settings.head, &settings.anchors),
            stride,
        })
    }

    /// Whose landmarks its faces have.
    pub(super) const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Pixels of all network inputs, at any time, for a photo of `width` x `height` pixels.
    pub(super) fn input_pixels(&self, [width, height]: [u32; 2], options: &DetectOptions) -> u64 {
        let pixels = |size| {
            let [w, h] = fit(width, height, size, self.stride).input;
            u64::from(w) * u64::from(h)
        };
        let first: u64 = options.sizes().map(pixels).sum();
        let more = if options.is_auto() {
            closer::most_pixels()
        } else {
            0
        };
        first.max(more)
    }

    /// What the network needs of a photo.
    pub(super) fn prepare(&self, photo: &RgbImage, options: &DetectOptions) -> Result<Prepared> {
        let scaled = |size| Scaled::new(photo, size, self.stride);
        Ok(Prepared(
            options.sizes().map(scaled).collect::<Result<_>>()?,
        ))
    }

    /// The faces of a photo: what looks at all its sizes have found, as one. The looks run in
    /// parallel.
    pub(super) fn run(
        &self,
        input: Prepared,
        options: &DetectOptions,
        clock: &Clock,
    ) -> Result<Vec<Face>> {
        let look = |scaled: Scaled| self.look(&[scaled], options, clock);
        let looks: Result<Vec<Vec<Vec<Face>>>> = parallel::map(input.0, look).into_iter().collect();
        let looks = looks?.into_iter().flatten().collect();
        Ok(clock.time(Stage::Postprocess, || merge(looks, &options.postprocess())))
    }

    /// Faces of all looks that what the first one has `seen` in the photo is worth, where the options
    /// leave that to it.
    pub(super) fn look_closer(
        &self,
        photo: &RgbImage,
        seen: Vec<Face>,
        options: &DetectOptions,
        clock: &Clock,
    ) -> Result<Vec<Face>> {
        if !options.is_auto() {
            return Ok(seen);
        }
        let looks = closer::faces(self, photo, seen, options, clock)?;
        let mut faces = clock.time(Stage::Postprocess, || merge(looks, &options.postprocess()));
        faces.retain(|face| face.score >= options.score);
        Ok(faces)
    }

    /// The faces `seen` in a photo with those of its turned copies, where the options ask for them.
    pub(super) fn look_aside(
        &self,
        photo: &RgbImage,
        seen: Vec<Face>,
        options: &DetectOptions,
        clock: &Clock,
    ) -> Result<Vec<Face>> {
        if !options.any_angle {
            return Ok(seen);
        }
        let mut looks = turned::of_copies(self, photo, options, clock)?;
        looks.insert(0, seen);
        Ok(clock.time(Stage::Postprocess, || merge(looks, &options.postprocess())))
    }

    /// What the sides of inputs are multiples of.
    pub(super) const fn stride(&self) -> u32 {
        self.stride
    }

    /// The network alone.
    pub(super) fn forward(&self, images: &[RgbImage]) -> Result<()> {
        let full = |image| Scaled::new(image, InputSize::Full, self.stride);
        let inputs: Vec<Scaled> = images.iter().map(full).collect::<Result<_>>()?;
        self.network.run(&inputs).map(drop)
    }

    /// One pass over photos of one input size.
    pub(super) fn look(
        &self,
        inputs: &[Scaled],
        options: &DetectOptions,
        clock: &Clock,
    ) -> Result<Vec<Vec<Face>>> {
        let Some(input) = inputs.first().map(Scaled::input) else {
            return Ok(Vec::new());
        };
        let anchors = self.anchors.get(input);
        let answer = clock.time(Stage::FirstLook, || self.network.run(inputs))?;
        let kept = clock.time(Stage::Postprocess, || {
            self.keep(inputs, &*answer, &anchors, options)
        })?;
        let deltas = clock.time(Stage::FirstLook, || Self::landmark_deltas(&*answer, &kept))?;
        Ok(clock.time(Stage::Postprocess, || {
            self.faces(&kept, &deltas, &anchors, inputs)
        }))
    }

    /// The faces of every photo, of its `kept` anchors and the rows of `deltas` that are theirs.
    fn faces(
        &self,
        kept: &[Vec<Vec<Kept>>],
        deltas: &[f32],
        anchors: &Anchors,
        inputs: &[Scaled],
    ) -> Vec<Vec<Face>> {
        let mut rows = deltas.chunks_exact((2 * self.scheme.len()).max(1));
        let faces = kept.iter().zip(inputs).map(|(kept, input)| {
            let faces = kept.iter().map(|voters| {
                let rows: Vec<&[f32]> = rows.by_ref().take(voters.len()).collect();
                self.face(voters, &rows, anchors, input)
            });
            faces.flatten().collect()
        });
        faces.collect()
    }

    /// For every face of every photo the anchors that say where its landmarks are, the one that
    /// stands for it first.
    fn keep(
        &self,
        inputs: &[Scaled],
        answer: &dyn Answer,
        anchors: &Anchors,
        options: &DetectOptions,
    ) -> Result<Vec<Vec<Vec<Kept>>>> {
        let n = anchors.boxes_cxcywh().len();
        let options = options.postprocess();
        let photos = inputs.iter().enumerate().map(|(photo, input)| {
            let (logits, deltas) = (answer.logits(photo)?, answer.box_deltas(photo)?);
            let scores = self.head.scores(logits, options.lowest());
            let (scores, deltas) = (scores.unwrap_or_default(), deltas.as_chunks::<4>().0);
            ensure!(
                n > 0 && scores.len() == n && deltas.len() == n,
                Network,
                "the network gave {} logits and {} boxes for a photo of {n} anchors",
                logits.len(),
                deltas.len(),
            );
            let coder = self.head.coder;
            Ok(postprocess::keep(
                &scores,
                deltas,
                anchors,
                coder,
                &input.letterbox,
                &options,
            ))
        });
        photos.collect()
    }

    /// Rows of 2L numbers for all kept anchors, photo by photo.
    fn landmark_deltas(answer: &dyn Answer, kept: &[Vec<Vec<Kept>>]) -> Result<Vec<f32>> {
        let at: Vec<(usize, usize)> = kept
            .iter()
            .enumerate()
            .flat_map(|(photo, kept)| kept.iter().flatten().map(move |k| (photo, k.anchor)))
            .collect();
        answer.landmark_deltas(&at) // [P, 2L]
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
        let coder = self.head.coder;
        let landmarks = votes::landmarks(voters, rows, anchors, coder, self.scheme.len());
        let to_photo = |point| input.letterbox.to_photo(point);
        let landmarks: Vec<_> = landmarks.into_iter().map(to_photo).collect();
        let finite = landmarks.iter().flatten().all(|v| v.is_finite());
        (finite && box_xyxy.has_size()).then_some(Face {
            box_xyxy,
            score: kept.score,
            landmarks,
            landmark_scores: None,
            pose: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_at_several_sizes_become_one() {
        let face = |score, x| Face {
            box_xyxy: [x, 0.0, x + 10.0, 10.0].into(),
            score,
            landmarks: Vec::new(),
            landmark_scores: None,
            pose: None,
        };
        let options = DetectOptions::from(&crate::settings::DetectConfig::default()).postprocess();
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
}
