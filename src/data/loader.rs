//! Batches of one epoch, prepared ahead by worker threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{AttributeWeights, Batch, Batcher, Dataset, Item, item_rng};
use crate::config::Config;
use crate::panics;

/// Iterator over the batches of an epoch, in order. Which photos they hold and how those are
/// augmented depends on seed, epoch and position alone, not on the number of workers. Dropping it
/// ends the workers.
#[derive(Debug)]
pub struct Loader {
    batches: usize,
    /// Next batch to deliver and next batch to hand to a worker.
    deliver: usize,
    request: usize,
    jobs: Option<Sender<usize>>,
    done: Receiver<(usize, Result<Batch>)>,
    /// Batches that were ready before their turn.
    early: BTreeMap<usize, Result<Batch>>,
    /// Why nothing can be prepared at all; delivered once.
    failed: Option<anyhow::Error>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    waited: Duration,
}

impl Loader {
    /// Start preparing the batches of `epoch` from `first_batch` on. What is wrong with the
    /// configuration comes as the first item. An item that is an error names the photo; the next
    /// one is the batch after it.
    pub fn epoch(
        dataset: &Arc<Dataset>,
        config: &Config,
        epoch: usize,
        first_batch: usize,
    ) -> Self {
        let order = dataset.epoch(config, epoch);
        let batch_size = config.train.batch_size.max(1);
        let (jobs, queue) = unbounded();
        let (finished, done) = unbounded();
        let mut loader = Self {
            batches: order.len().div_ceil(batch_size),
            deliver: first_batch,
            request: first_batch,
            jobs: Some(jobs),
            done,
            early: BTreeMap::new(),
            failed: None,
            stop: Arc::default(),
            workers: Vec::new(),
            waited: Duration::ZERO,
        };
        let started = Batcher::new(config).and_then(|batcher| {
            let batcher = match config.loss.attribute_weights {
                true => batcher.weighing(AttributeWeights::of(&dataset.samples)),
                false => batcher,
            };
            let batcher = batcher.taught_by(dataset.teacher().cloned());
            let work = Arc::new(Work {
                dataset: Arc::clone(dataset),
                batcher: batcher.after(dataset.before()),
                order,
                batch_size,
                seed: config.seed,
                epoch,
                stop: Arc::clone(&loader.stop),
            });
            loader.start(&work, threads(config), &queue, &finished)
        });
        match started {
            Ok(()) => loader.request_up_to(config.data.prefetch.max(1) + loader.workers.len()),
            Err(error) => loader.failed = Some(error),
        }
        loader
    }

    /// Batches of the whole epoch, also those before `first_batch`.
    pub const fn len(&self) -> usize {
        self.batches
    }

    /// Whether the epoch has no batch.
    pub const fn is_empty(&self) -> bool {
        self.batches == 0
    }

    /// Time that `next` has spent waiting for the workers.
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    fn start(
        &mut self,
        work: &Arc<Work>,
        threads: usize,
        queue: &Receiver<usize>,
        finished: &Sender<(usize, Result<Batch>)>,
    ) -> Result<()> {
        for i in 0..threads {
            let (work, queue, finished) = (Arc::clone(work), queue.clone(), finished.clone());
            let worker = std::thread::Builder::new()
                .name(format!("data-{i}"))
                .spawn(move || {
                    for index in queue {
                        if finished.send((index, work.batch(index))).is_err() {
                            break;
                        }
                    }
                })
                .context("cannot start a data worker (see data.workers)")?;
            self.workers.push(worker);
        }
        Ok(())
    }

    /// Have `ahead` batches more than delivered under way.
    fn request_up_to(&mut self, ahead: usize) {
        let until = (self.deliver + ahead).min(self.batches);
        while self.request < until {
            self.request_next();
        }
    }

    fn request_next(&mut self) {
        if self.request < self.batches
            && let Some(jobs) = &self.jobs
            && jobs.send(self.request).is_ok()
        {
            self.request += 1;
        }
    }

    fn receive(&mut self) -> Result<Batch> {
        let start = Instant::now();
        let batch = loop {
            if let Some(batch) = self.early.remove(&self.deliver) {
                break batch;
            }
            match self.done.recv() {
                Ok((index, batch)) => self.early.insert(index, batch),
                Err(_) => break Err(anyhow!("all data workers have ended")),
            };
        };
        self.waited += start.elapsed();
        batch
    }
}

impl Iterator for Loader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        if let Some(error) = self.failed.take() {
            self.deliver = self.batches;
            return Some(Err(error));
        }
        if self.deliver >= self.batches {
            return None;
        }
        let batch = self.receive();
        self.deliver += 1;
        self.request_next();
        Some(batch)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker catches its panics; there is nothing to learn from its end.
            let _ = worker.join();
        }
    }
}

/// Workers to start; as many as there are cores when the configuration leaves it open.
fn threads(config: &Config) -> usize {
    match config.data.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// What every worker knows.
struct Work {
    dataset: Arc<Dataset>,
    batcher: Batcher,
    order: Vec<usize>,
    batch_size: usize,
    seed: u64,
    epoch: usize,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn batch(&self, index: usize) -> Result<Batch> {
        let start = index * self.batch_size;
        let positions = start..(start + self.batch_size).min(self.order.len());
        let mut batch = Batch {
            images: vec![0.0; positions.len() * self.batcher.image_len()],
            side: self.batcher.side(),
            names: Vec::new(),
            faces: Vec::new(),
            targets: Vec::new(),
        };
        let images = batch.images.chunks_exact_mut(self.batcher.image_len());
        for (position, image) in positions.zip(images) {
            let (sample, item) = self.item(position, image)?;
            batch
                .names
                .push(Arc::clone(&self.dataset.samples[sample].name));
            batch.faces.push(item.faces);
            batch.targets.push(item.targets);
        }
        Ok(batch)
    }

    /// The item at `position` of the epoch, its pixels written into `image`. Where its photo is
    /// broken and may be left out, the next readable photo of the epoch takes its place.
    fn item(&self, position: usize, image: &mut [f32]) -> Result<(usize, Item)> {
        for step in 0..self.order.len() {
            if self.stop.load(Ordering::Relaxed) {
                bail!("stopped");
            }
            let index = self.order[(position + step) % self.order.len()];
            let sample = &self.dataset.samples[index];
            let photo = match self.dataset.photo(index) {
                Ok(photo) => photo,
                Err(error) => {
                    self.dataset.leave_out(index, error)?;
                    continue;
                }
            };
            let mut rng = item_rng(self.seed, self.epoch, position);
            let (faces, complete) = (&sample.faces, sample.complete);
            let prepare = || -> Result<Item> {
                let item = self.batcher.item(&photo, faces, complete, &mut rng)?;
                self.batcher.fill(&item.crop, image);
                Ok(item)
            };
            let item = panics::caught(prepare)
                .with_context(|| format!("photo {}", sample.path.display()))?;
            return Ok((index, item));
        }
        bail!("no photo of the epoch can be read")
    }
}
