//! Counts and times in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;

/// Of all requests since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<u16, u64>>,
    photos: AtomicU64,
    faces: AtomicU64,
    microseconds: AtomicU64,
}

impl Metrics {
    /// Count an answer to a request for faces.
    pub fn answered(&self, status: StatusCode) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(status.as_u16()).or_default() += 1;
    }

    /// Count a photo that was decoded and looked at.
    pub fn looked(&self, took: Duration, faces: usize) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.photos.fetch_add(1, Ordering::Relaxed);
        self.faces.fetch_add(faces as u64, Ordering::Relaxed);
        self.microseconds.fetch_add(took, Ordering::Relaxed);
    }

    /// All of them; `inside` requests are in work or wait now.
    pub fn text(&self, inside: usize) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, lines: &[(String, String)]| {
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "# HELP retinamark_{name} {help}\n# TYPE retinamark_{name} {kind}"
            );
            for (suffix, value) in lines {
                let _ = writeln!(text, "retinamark_{name}{suffix} {value}");
            }
        };
        let one = |value: String| [(String::new(), value)];
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = answers.iter();
        let answers = answers.map(|(code, n)| (format!("{{code=\"{code}\"}}"), n.to_string()));
        let answers: Vec<(String, String)> = answers.collect();
        let seconds = format!("{:.6}", get(&self.microseconds) as f64 * 1e-6);
        family(
            "requests_total",
            "counter",
            "Answers to requests for faces.",
            &answers,
        );
        family(
            "faces_total",
            "counter",
            "Faces found.",
            &one(get(&self.faces).to_string()),
        );
        let looked = [
            ("_sum".to_owned(), seconds),
            ("_count".to_owned(), get(&self.photos).to_string()),
        ];
        family(
            "look_seconds",
            "summary",
            "Decoding and looking at photos.",
            &looked,
        );
        family(
            "inside",
            "gauge",
            "Requests in work or waiting.",
            &one(inside.to_string()),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_in_the_text() {
        let metrics = Metrics::default();
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::SERVICE_UNAVAILABLE);
        metrics.looked(Duration::from_millis(1500), 3);
        let text = metrics.text(7);
        for line in [
            "# TYPE retinamark_requests_total counter",
            "retinamark_requests_total{code=\"200\"} 2",
            "retinamark_requests_total{code=\"503\"} 1",
            "retinamark_faces_total 3",
            "retinamark_look_seconds_sum 1.500000",
            "retinamark_look_seconds_count 1",
            "retinamark_inside 7",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }
}
