//! What is asked for where.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::app::App;
use super::refusal::Refusal;
use crate::output::PhotoRecord;

const PAGE: &str = include_str!("page.html");
const OPENAPI: &str = include_str!("openapi.json");

/// What the page may do: run its own script and show photos that it has itself.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// All of them.
pub fn all(app: Arc<App>) -> Router {
    let detect = post(detect)
        .layer(middleware::from_fn_with_state(app.clone(), authorised))
        .layer(middleware::from_fn_with_state(app.clone(), count));
    Router::new()
        .route("/", get(page))
        .route("/detect", detect)
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .with_state(app)
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(PAGE))
}

async fn openapi() -> impl IntoResponse {
    let text = OPENAPI.replace("VERSION", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_TYPE, "application/json")], text)
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4";
    (
        [(header::CONTENT_TYPE, kind)],
        app.metrics.text(app.inside()),
    )
}

/// Parameters of a request for faces.
#[derive(Deserialize)]
struct Asked {
    /// What the photo is called in the answer.
    #[serde(default)]
    name: String,
}

async fn detect(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PhotoRecord>, Refusal> {
    let Query(asked) =
        asked.map_err(|why| Refusal::new(StatusCode::BAD_REQUEST, why.to_string()))?;
    // Before a byte is read: what waits is in memory.
    let place = app.enter()?;
    let bytes = read(&app, &headers, body).await?;
    Ok(Json(App::detect(place, bytes, asked.name).await?))
}

/// The whole request, of a client that is neither too slow nor sends too much.
async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let most = app.settings.max_body;
    let too_large = || {
        let text = format!("more than the {} MiB that are taken", most >> 20);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    let said = headers.get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let reading = tokio::time::timeout(app.settings.timeout, axum::body::to_bytes(body, most));
    let bytes = match reading.await {
        Err(_) => return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "sent too slowly")),
        // Larger, or the client is gone and does not care.
        Ok(Err(_)) => return Err(too_large()),
        Ok(Ok(bytes)) => bytes,
    };
    if bytes.is_empty() {
        let text = "no photo: send its file as the body of the request";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    Ok(bytes)
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.metrics.answered(response.status());
    response
}

async fn authorised(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let Some(token) = &app.settings.token else {
        return Ok(next.run(request).await);
    };
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
        return Ok(next.run(request).await);
    }
    let text = "this server wants its token: Authorization: Bearer TOKEN";
    Err(Refusal::new(StatusCode::UNAUTHORIZED, text))
}

/// In a time that does not tell how much of it is right.
fn same(given: &[u8], token: &[u8]) -> bool {
    let differing = given.iter().zip(token).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_same_or_not() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abd", b"abc") && !same(b"ab", b"abc") && !same(b"abcd", b"abc"));
    }

    #[test]
    fn the_description_names_every_route() {
        let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let paths = description["paths"].as_object().unwrap();
        let mut paths: Vec<&str> = paths.keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            ["/", "/detect", "/healthz", "/metrics", "/openapi.json"]
        );
    }
}
