//! Micro-batches of one step on several devices of this machine, one on each at a time.

use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::config::Config;
use crate::data::Batch;
use crate::loss::{Learn, Losses};
use crate::panics;

/// What a micro-batch teaches: its losses, and their gradients by the parameters.
pub(super) type Lesson = (Losses, GradientsParams);

/// The devices of a run; the first one holds the model.
#[derive(Clone, Debug)]
pub(super) struct Devices {
    first: Device,
    others: Vec<Device>,
}

impl Devices {
    /// `first` alone.
    pub(super) const fn one(first: Device) -> Self {
        Self {
            first,
            others: Vec::new(),
        }
    }

    /// The same and `others`, all with autodiff.
    ///
    /// # Errors
    /// When the micro-batches of a step cannot be shared out evenly.
    pub(super) fn and(self, others: Vec<Device>, config: &Config) -> Result<Self> {
        let (devices, accumulate) = (1 + others.len(), config.optimizer.accumulate);
        ensure!(
            accumulate.is_multiple_of(devices),
            "optimizer.accumulate is {accumulate}: with {devices} devices it must be a multiple of \
             {devices}, so that each has as many micro-batches of a step"
        );
        Ok(Self { others, ..self })
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// Forward and backward of at most as many micro-batches as there are devices, each on its own
    /// with a thread of its own. Running statistics of `model` follow from the first one, as in
    /// PyTorch's `DistributedDataParallel`.
    ///
    /// # Errors
    /// When images and targets do not fit the network.
    pub(super) fn learn<N: Learn>(
        &self,
        model: &N,
        loss: &N::Loss,
        batches: Vec<Batch>,
    ) -> Result<Vec<Lesson>> {
        let mut batches = batches.into_iter();
        let Some(own) = batches.next() else {
            return Ok(Vec::new());
        };
        thread::scope(|scope| {
            let others: Vec<_> = (self.others.iter().zip(batches))
                .map(|(device, batch)| {
                    let replica = model.replica(device);
                    let learn = move || panics::caught(|| learn(&replica, loss, batch, device));
                    thread::Builder::new().spawn_scoped(scope, learn)
                })
                .collect();
            let mut lessons = vec![learn(model, loss, own, &self.first)?];
            for thread in others {
                let thread = thread.context("cannot start a thread for a device")?;
                let lesson = thread.join();
                lessons.push(lesson.map_err(|_| anyhow!("the thread of a device panicked"))??);
            }
            Ok(lessons)
        })
    }
}

/// Forward and backward of one micro-batch on the device of `model`.
fn learn<N: Learn>(model: &N, loss: &N::Loss, batch: Batch, device: &Device) -> Result<Lesson> {
    let (count, side) = (batch.names.len(), batch.side);
    let channels = batch.images.len() / (count * side * side).max(1);
    let pixels = TensorData::new(batch.images, [count, channels, side, side]);
    let images = Tensor::from_data(pixels, device); // [B,C,S,S]
    let losses = model.losses(loss, images, &batch.targets)?;
    let gradients = losses.total.clone().backward();
    Ok((losses, GradientsParams::from_grads(gradients, model)))
}
