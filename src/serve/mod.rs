//! Faces over HTTP: photos in, lines of `detections.jsonl` out, and a page to drop photos on.
//!
//! Everything is bounded: the size of a request and of a photo, the time that a client may take to send
//! it, the photos in work, the requests that wait. Who comes beyond that is told to come again.

mod app;
mod metrics;
mod refusal;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::interrupt;

pub use app::{App, Settings};

/// Connections at the same time; further ones wait to be accepted.
const CONNECTIONS: usize = 512;

/// How often it is looked whether the user wants the end.
const POLL: Duration = Duration::from_millis(50);

/// Serve at `bind` until the user asks to stop, then let requests in work finish. `listening` is told the
/// address, whose port the system may have chosen (port 0).
///
/// # Errors
/// When the address cannot be listened at.
pub fn run(app: App, bind: SocketAddr, listening: impl FnOnce(SocketAddr)) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(app.settings.jobs)
        .enable_all()
        .build()
        .context("cannot start the server's threads")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(bind)
            .await
            .with_context(|| format!("cannot listen at {bind}: choose another --bind"))?;
        listening(listener.local_addr()?);
        let timeout = app.settings.timeout;
        accept(listener, routes::all(Arc::new(app)), timeout).await;
        Ok(())
    })
}

async fn accept(listener: TcpListener, routes: Router, timeout: Duration) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut server = Builder::new();
    // Who sends its headers byte by byte holds a place for no longer than this.
    server.timer(TokioTimer::new()).header_read_timeout(timeout);
    loop {
        let next = async {
            // Closed never.
            let place = places.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = asked_to_stop() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, say: some will be free again.
            tokio::time::sleep(POLL).await;
            continue;
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection = server.serve_connection(io(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away is no failure of ours.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(2 * timeout) => {}
    }
}

fn io(stream: TcpStream) -> TokioIo<TcpStream> {
    // Answers are small and whole; waiting for more bytes only delays them.
    let _ = stream.set_nodelay(true);
    TokioIo::new(stream)
}

async fn asked_to_stop() {
    while !interrupt::requested() {
        tokio::time::sleep(POLL).await;
    }
}
