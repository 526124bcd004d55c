//! What networks see while they are used.

use std::sync::{Arc, Mutex, MutexGuard};

use image::RgbImage;

use crate::error::Result;
use crate::infer::{Answer, FirstLook, RawLandmarks, Scaled, SecondLook};

/// An input of a network.
#[derive(Clone, Debug)]
pub struct Input {
    /// What of it a photo covers; or a crop.
    pub pixels: RgbImage,
    /// Its height and width.
    pub size: [usize; 2],
}

/// The first inputs of a network.
#[derive(Clone, Debug)]
pub struct Seen {
    inputs: Arc<Mutex<Vec<Input>>>,
    most: usize,
}

impl Seen {
    /// None yet, at most so many.
    pub fn new(most: usize) -> Self {
        Self {
            inputs: Arc::default(),
            most,
        }
    }

    /// All until now.
    pub fn take(&self) -> Vec<Input> {
        std::mem::take(&mut self.lock())
    }

    fn add(&self, inputs: impl Iterator<Item = Input>) {
        let mut known = self.lock();
        let room = self.most.saturating_sub(known.len());
        known.extend(inputs.take(room));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Input>> {
        self.inputs
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A network that keeps what it is shown.
#[derive(Debug)]
pub struct Recording<N> {
    /// The network.
    pub network: N,
    /// Where that is kept.
    pub seen: Seen,
}

impl<N: FirstLook> FirstLook for Recording<N> {
    fn run<'a>(&'a self, inputs: &[Scaled]) -> Result<Box<dyn Answer + 'a>> {
        self.seen.add(inputs.iter().map(|input| Input {
            pixels: input.pixels.clone(),
            size: [1, 0].map(|side| input.input()[side] as usize),
        }));
        self.network.run(inputs)
    }
}

impl<N: SecondLook> SecondLook for Recording<N> {
    fn run(&self, crops: &[RgbImage]) -> Result<Vec<RawLandmarks>> {
        self.seen.add(crops.iter().map(|crop| Input {
            pixels: crop.clone(),
            size: [crop.height() as usize, crop.width() as usize],
        }));
        self.network.run(crops)
    }
}
