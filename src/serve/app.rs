//! What all requests share, and how many of them there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::Semaphore;

use super::metrics::Metrics;
use super::refusal::Refusal;
use crate::imaging::{self, Limits};
use crate::infer::{DetectOptions, Predictor};
use crate::output::PhotoRecord;

/// What is allowed.
#[derive(Debug)]
pub struct Settings {
    /// What a client has to know, if anything.
    pub token: Option<String>,
    /// Largest request, bytes.
    pub max_body: usize,
    /// Largest photo.
    pub limits: Limits,
    /// Photos in work at the same time.
    pub jobs: usize,
    /// Requests that may wait.
    pub queue: usize,
    /// For a client to send its request.
    pub timeout: Duration,
}

/// Everything that answers requests.
pub struct App {
    predictor: Predictor,
    options: DetectOptions,
    pub(super) settings: Settings,
    pub(super) metrics: Metrics,
    workers: Arc<Semaphore>,
    inside: AtomicUsize,
}

/// The place of a request among those that are in work or wait; free again when dropped.
pub(super) struct Place(Arc<App>);

impl App {
    /// That looks with `predictor` as `options` say.
    pub fn new(predictor: Predictor, options: DetectOptions, settings: Settings) -> Self {
        Self {
            predictor,
            options,
            workers: Arc::new(Semaphore::new(settings.jobs)),
            settings,
            metrics: Metrics::default(),
            inside: AtomicUsize::new(0),
        }
    }

    /// A place for one request more.
    ///
    /// # Errors
    /// When as many as are allowed are there already.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Place, Refusal> {
        let most = self.settings.jobs + self.settings.queue;
        if self.inside.fetch_add(1, Ordering::AcqRel) >= most {
            self.inside.fetch_sub(1, Ordering::AcqRel);
            return Err(Refusal::busy());
        }
        Ok(Place(self.clone()))
    }

    /// Requests in work or waiting.
    pub(super) fn inside(&self) -> usize {
        self.inside.load(Ordering::Acquire)
    }

    /// Wait for a worker, then find the faces of a photo of this name. The work goes on when nobody waits
    /// for it any more, and keeps its worker and its place until it is done.
    pub(super) async fn detect(
        place: Place,
        bytes: Bytes,
        name: String,
    ) -> Result<PhotoRecord, Refusal> {
        // Closed never.
        let worker = place.0.workers.clone().acquire_owned().await.ok();
        let done = tokio::task::spawn_blocking(move || {
            let found = place.0.look(&bytes, name);
            drop((worker, place));
            found
        });
        done.await
            .map_err(|_| Refusal::broken("the photo cannot be looked at"))?
    }

    fn look(&self, bytes: &[u8], name: String) -> Result<PhotoRecord, Refusal> {
        let begun = Instant::now();
        let photo = imaging::decode_rgb(bytes, &self.settings.limits)?;
        let faces = self.predictor.detect(&photo, &self.options)?;
        self.metrics.looked(begun.elapsed(), faces.len());
        Ok(PhotoRecord::new(name, photo.dimensions().into(), &faces))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::AcqRel);
    }
}
