//! What a run gave.

use std::sync::Arc;

use super::kernels::Buffer;
use super::layout::{Map, Place};
use super::plan::Plan;
use super::{ARENAS, Memory, lock};
use crate::error::{Error, Result};
use crate::graph::Shape;

/// What a run gave. Its memory goes back when it is dropped.
#[derive(Debug)]
pub struct Outputs {
    pub(super) plan: Arc<Plan>,
    pub(super) memory: Arc<Memory>,
    pub(super) slots: Vec<Buffer>,
    pub(super) count: usize,
}

impl Outputs {
    /// Images of the run.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Rows of anchors, or a vector, of one image.
    ///
    /// # Errors
    /// When there is no such output, or it is a map.
    pub fn rows(&self, name: &str, image: usize) -> Result<&[f32]> {
        let (buffer, each, len) = match self.place(name)? {
            Place::Rows { buffer, len } => (buffer, len, len),
            Place::Map(map) if map.shape[1..] == [1, 1] && map.pad == 0 => {
                (map.buffer, map.image(), map.shape[0])
            }
            _ => return Err(Error::Network(format!("output {name} has no rows"))),
        };
        let values = self.buffer(buffer).get(image * each..image * each + len);
        let known = values.filter(|_| image < self.count);
        known.ok_or_else(|| Error::Network(format!("there is no image {image}")))
    }

    /// A map of one image as `[C,H,W]`, and its shape.
    ///
    /// # Errors
    /// When there is no such output, or it is no map.
    pub fn planar(&self, name: &str, image: usize) -> Result<(Shape, Vec<f32>)> {
        let map = self.map(name)?;
        let [channels, height, width] = map.shape;
        if image >= self.count {
            return Err(Error::Network(format!("there is no image {image}")));
        }
        let values = &self.buffer(map.buffer)[image * map.image()..];
        let mut planar = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            for y in 0..height {
                planar.extend((0..width).map(|x| values[map.at(channel, y, x)]));
            }
        }
        Ok((map.shape, planar))
    }

    /// Shape of a map for one image.
    ///
    /// # Errors
    /// When there is no such output, or it is no map.
    pub fn shape(&self, name: &str) -> Result<Shape> {
        Ok(self.map(name)?.shape)
    }

    fn place(&self, name: &str) -> Result<Place> {
        let mut outputs = self.plan.outputs.iter();
        let found = outputs.find(|(own, _)| own == name);
        let found = found.ok_or_else(|| Error::Network(format!("there is no output {name}")))?;
        Ok(found.1)
    }

    pub(super) fn map(&self, name: &str) -> Result<Map> {
        match self.place(name)? {
            Place::Map(map) => Ok(map),
            _ => Err(Error::Network(format!("output {name} is no map"))),
        }
    }

    pub(super) fn buffer(&self, buffer: usize) -> &[f32] {
        self.slots[self.plan.slot_of[buffer]].as_slice()
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        let mut arenas = lock(&self.memory.arenas);
        if arenas.len() < ARENAS {
            arenas.push(std::mem::take(&mut self.slots));
        }
    }
}
