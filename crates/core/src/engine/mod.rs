//! The executor: a network without batch norms, computed on the processor.
//!
//! For each size of input a plan is made once: which kernels, on which memory, with weights that
//! were packed for them. A run allocates nothing but what a new thread needs.

mod kernels;
mod layout;
mod outputs;
mod plan;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{Error, Result};
use crate::graph::{Graph, Shape, Weights, passes};
use crate::parallel::on_a_worker;
use kernels::Buffer;
use layout::Map;
use plan::{Packed, Plan};
use steps::{Lender, Run, Scratch};

pub use kernels::Isa;
pub use outputs::Outputs;
pub use steps::Normalise;

/// Plans that are kept.
const PLANS: usize = 16;

/// Memory of runs that is kept.
const ARENAS: usize = 16;

/// What the network sees.
#[derive(Clone, Copy, Debug)]
pub enum Image<'a> {
    /// Bytes, red first, without gaps; `size` is height and width. What it does not cover of the
    /// network's input has the mean colour; what lies beyond is cut off.
    Rgb {
        /// `[height][width][3]`.
        pixels: &'a [u8],
        /// Height and width.
        size: [usize; 2],
    },
    /// Numbers that are normalised and in the network's order of channels, `[C][height][width]`.
    Planar(&'a [f32]),
}

/// All that a run reads.
#[derive(Clone, Copy, Debug)]
enum Images<'a> {
    Many(&'a [Image<'a>]),
    Windows,
}

/// Windows of a map that another network gave.
#[derive(Clone, Copy, Debug)]
struct Windows<'a> {
    features: Features<'a>,
    /// Height and width of the map.
    size: [usize; 2],
    /// Image, row and column of the middle of each.
    places: &'a [[usize; 3]],
}

#[derive(Clone, Copy, Debug)]
struct Features<'a> {
    values: &'a [f32],
    map: Map,
}

/// Writes a network down for an input of some shape.
type Describe = dyn Fn(Shape) -> Result<Graph> + Send + Sync;

/// A network that can be run on inputs of any size, from many threads at once.
pub struct Engine {
    describe: Box<Describe>,
    weights: Weights,
    normalise: Normalise,
    isa: Isa,
    packed: Packed,
    plans: Mutex<VecDeque<(Shape, usize, Arc<Plan>)>>,
    memory: Arc<Memory>,
}

/// Memory that runs of any plan take and give back: what a network needs does not grow with the
/// number of sizes that it sees.
#[derive(Debug, Default)]
struct Memory {
    scratch: Scratch,
    arenas: Mutex<Vec<Vec<Buffer>>>,
}

impl Engine {
    /// Of a description, its weights and what its images are to be like. Norms are folded; for that
    /// the description is asked for the shape `sample`.
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn new(
        describe: impl Fn(Shape) -> Result<Graph> + Send + Sync + 'static,
        sample: Shape,
        weights: &Weights,
        normalise: Normalise,
        isa: Isa,
    ) -> Result<Self> {
        let (_, weights) = passes::fold_norms(&describe(sample)?, weights)?;
        Ok(Self {
            describe: Box::new(describe),
            weights,
            normalise,
            isa,
            packed: Packed::default(),
            plans: Mutex::default(),
            memory: Arc::default(),
        })
    }

    /// The instruction set that it uses.
    pub const fn isa(&self) -> Isa {
        self.isa
    }

    /// Run on some images of one input size (height, width).
    ///
    /// # Errors
    /// When an image has fewer pixels than it says, or the network cannot be run.
    pub fn run(&self, images: &[Image<'_>], size: [usize; 2]) -> Result<Outputs> {
        let channels = self.normalise.channels();
        for image in images {
            check(image, channels, size)?;
        }
        let plan = self.plan([channels, size[0], size[1]], images.len())?;
        Ok(self.start(plan, images.len(), Images::Many(images), None))
    }

    /// Run on windows of `side` pixels each way around `places` (image, row, column) of the map
    /// `name` that another network gave; they are zero beyond its edges.
    ///
    /// # Errors
    /// When there is no such map, a place is none of it, or the network cannot be run.
    pub fn run_windows(
        &self,
        outputs: &Outputs,
        name: &str,
        places: &[[usize; 3]],
        side: usize,
    ) -> Result<Outputs> {
        let map = outputs.map(name)?;
        let [channels, height, width] = map.shape;
        let known = |&[image, y, x]: &[usize; 3]| image < outputs.count && y < height && x < width;
        if !places.iter().all(known) {
            return Err(Error::Network(format!("a place beyond the map {name}")));
        }
        let windows = Windows {
            features: Features {
                values: outputs.buffer(map.buffer),
                map,
            },
            size: [height, width],
            places,
        };
        let plan = self.plan([channels, side, side], places.len())?;
        Ok(self.start(plan, places.len(), Images::Windows, Some(windows)))
    }

    /// A plan for this shape and at least so many images.
    fn plan(&self, shape: Shape, images: usize) -> Result<Arc<Plan>> {
        let images = images.max(1).next_power_of_two();
        let mut plans = lock(&self.plans);
        let known = plans
            .iter()
            .position(|(s, n, _)| *s == shape && *n == images);
        let entry = match known.and_then(|at| plans.remove(at)) {
            Some(entry) => entry,
            None => {
                // Compiling is quick, and the others would have to wait for the same.
                let graph = passes::without_norms(&(self.describe)(shape)?);
                let graph = passes::fuse(&graph);
                let plan = plan::build(
                    self.isa,
                    &graph,
                    &self.weights,
                    &self.normalise,
                    &self.packed,
                    images,
                )?;
                (shape, images, Arc::new(plan))
            }
        };
        let plan = entry.2.clone();
        plans.push_front(entry);
        plans.truncate(PLANS);
        Ok(plan)
    }

    fn start(
        &self,
        plan: Arc<Plan>,
        count: usize,
        images: Images<'_>,
        windows: Option<Windows<'_>>,
    ) -> Outputs {
        let mut slots = lock(&self.memory.arenas).pop().unwrap_or_default();
        if slots.len() < plan.slots.len() {
            slots.resize_with(plan.slots.len(), Buffer::default);
        }
        for (slot, &len) in slots.iter_mut().zip(&plan.slots) {
            slot.reserve(len);
        }
        on_a_worker(|| {
            let mut run = Run {
                isa: self.isa,
                count,
                images,
                windows,
                slots: &mut slots,
                slot_of: &plan.slot_of,
                scratch: Lender {
                    scratch: &self.memory.scratch,
                    len: plan.scratch,
                },
            };
            for step in &plan.steps {
                step.run(&mut run);
            }
        });
        Outputs {
            plan,
            memory: self.memory.clone(),
            slots,
            count,
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("isa", &self.isa)
            .finish_non_exhaustive()
    }
}

fn check(image: &Image<'_>, channels: usize, [height, width]: [usize; 2]) -> Result<()> {
    let (needed, found) = match image {
        Image::Rgb { pixels, size } => (3 * size[0] * size[1], pixels.len()),
        Image::Planar(numbers) => (channels * height * width, numbers.len()),
    };
    if found < needed || height == 0 || width == 0 {
        return Err(Error::Network(format!(
            "{found} numbers instead of {needed} for an input of {height} x {width}"
        )));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
