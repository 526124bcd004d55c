//! Figures of a stretch of training: one optimiser step, or the steps of an epoch added up.

use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize};

/// The name of the whole loss.
pub const LOSS: &str = "loss";

/// The parts that there were when sums of losses had no names, after [`LOSS`].
const UNNAMED: [&str; 4] = ["class", "boxes", "landmarks", "uncertainty"];

/// Sums over micro-batches, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Micro-batches.
    batches: usize,
    /// Optimiser steps.
    steps: usize,
    /// Photos.
    images: usize,
    /// Sums of the loss and its parts, by name.
    #[serde(deserialize_with = "named_or_not")]
    losses: Vec<(String, f64)>,
    /// Sum of the gradient norms before clipping.
    gradient_norm: f64,
    /// Last learning rate.
    learning_rate: f64,
    /// Seconds in all.
    seconds: f64,
    /// Seconds of them spent waiting for data.
    waited: f64,
    #[serde(skip)]
    started: Started,
}

/// A start time that does not count when figures are compared.
#[derive(Clone, Copy, Debug, Default)]
struct Started(Option<Instant>);

impl PartialEq for Started {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Figures {
    /// Figures of a step that begins now.
    pub fn start() -> Self {
        Self {
            started: Started(Some(Instant::now())),
            ..Self::default()
        }
    }

    /// Run `next` and count its time as waiting.
    pub fn wait_for<T>(&mut self, next: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = next();
        self.waited += start.elapsed().as_secs_f64();
        value
    }

    /// Add a micro-batch with its loss and the parts of it.
    pub fn add_batch(&mut self, images: usize, losses: &[(&str, f64)]) {
        self.batches += 1;
        self.images += images;
        for &(name, loss) in losses {
            self.add_loss(name, loss);
        }
    }

    fn add_loss(&mut self, name: &str, loss: f64) {
        match self.losses.iter_mut().find(|(own, _)| own == name) {
            Some((_, sum)) => *sum += loss,
            None => self.losses.push((name.to_owned(), loss)),
        }
    }

    /// The step is over.
    pub fn finish(&mut self, learning_rate: f64, gradient_norm: f64) {
        self.steps = 1;
        self.learning_rate = learning_rate;
        self.gradient_norm = gradient_norm;
        self.seconds = self.started.0.map_or(0.0, |s| s.elapsed().as_secs_f64());
    }

    /// Add the figures of a step.
    pub fn add(&mut self, step: &Self) {
        self.images += step.images;
        self.batches += step.batches;
        for (name, loss) in &step.losses {
            self.add_loss(name, *loss);
        }
        self.steps += step.steps;
        self.gradient_norm += step.gradient_norm;
        self.learning_rate = step.learning_rate;
        self.seconds += step.seconds;
        self.waited += step.waited;
    }

    /// Micro-batches.
    pub const fn batches(&self) -> usize {
        self.batches
    }

    /// Mean loss and parts per micro-batch, by name; the loss comes first.
    pub fn losses(&self) -> impl Iterator<Item = (&str, f64)> {
        let batches = self.batches.max(1) as f64;
        let named = self.losses.iter();
        named.map(move |(name, sum)| (name.as_str(), sum / batches))
    }

    /// One of them; `None` where there is none of this name.
    pub fn loss(&self, name: &str) -> Option<f64> {
        let mut all = self.losses();
        all.find(|(own, _)| *own == name).map(|(_, loss)| loss)
    }

    /// Photos a second.
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds.max(1e-9)
    }

    /// Share of the time spent waiting for data.
    pub fn waiting_share(&self) -> f64 {
        self.waited / self.seconds.max(1e-9)
    }

    /// All of it by name, for the logs.
    pub fn row(&self, epoch: usize) -> Vec<(String, f64)> {
        let mut row = vec![
            ("epoch", epoch as f64),
            ("learning_rate", self.learning_rate),
        ];
        row.extend(self.losses());
        row.extend([
            (
                "gradient_norm",
                self.gradient_norm / self.steps.max(1) as f64,
            ),
            ("images_per_s", self.images_per_second()),
            ("waiting_share", self.waiting_share()),
            ("seconds", self.seconds),
        ]);
        row.into_iter()
            .map(|(name, n)| (name.to_owned(), n))
            .collect()
    }

    /// Loss and parts in words.
    pub fn describe(&self) -> String {
        let parts = self.losses().filter(|(name, _)| *name != LOSS);
        let parts: Vec<String> = parts
            .map(|(name, loss)| format!("{name} {loss:.3}"))
            .collect();
        let total = self.loss(LOSS).unwrap_or_default();
        format!("loss {total:.3} ({})", parts.join(", "))
    }
}

/// Sums by name, or as older programs wrote them: five numbers, zero for parts that a network does
/// not have.
fn named_or_not<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, f64)>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sums {
        Unnamed([f64; 5]),
        Named(Vec<(String, f64)>),
    }
    Ok(match Sums::deserialize(from)? {
        Sums::Named(sums) => sums,
        Sums::Unnamed([total, parts @ ..]) => {
            let parts = UNNAMED
                .into_iter()
                .zip(parts)
                .filter(|&(_, sum)| sum != 0.0);
            let all = std::iter::once((LOSS, total)).chain(parts);
            all.map(|(name, sum)| (name.to_owned(), sum)).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_by_name_whatever_the_order() {
        let mut step = Figures::default();
        step.add_batch(2, &[(LOSS, 3.0), ("boxes", 1.0), ("class", 2.0)]);
        let mut sums = step.clone();
        let mut other = Figures::default();
        other.add_batch(
            2,
            &[
                (LOSS, 9.0),
                ("class", 4.0),
                ("boxes", 3.0),
                ("penalty", 2.0),
            ],
        );
        sums.add(&other);
        let means = [
            (LOSS, 6.0),
            ("boxes", 2.0),
            ("class", 3.0),
            ("penalty", 1.0),
        ];
        assert_eq!(sums.losses().collect::<Vec<_>>(), means);
        assert_eq!((sums.loss("class"), sums.loss("else")), (Some(3.0), None));
        let words = "loss 6.000 (boxes 2.000, class 3.000, penalty 1.000)";
        assert_eq!(sums.describe(), words);
        let names: Vec<String> = sums.row(1).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names[..6],
            ["epoch", "learning_rate", LOSS, "boxes", "class", "penalty"]
        );
        let json = serde_json::to_string(&sums).unwrap();
        assert_eq!(serde_json::from_str::<Figures>(&json).unwrap(), sums);
    }

    #[test]
    fn sums_without_names_get_them() {
        let json = r#"{"batches":2,"steps":1,"images":4,"losses":[9.0,0.0,0.0,8.0,1.0],
            "gradient_norm":1.0,"learning_rate":0.1,"seconds":1.0,"waited":0.0}"#;
        let sums: Figures = serde_json::from_str(json).unwrap();
        let means = [(LOSS, 4.5), ("landmarks", 4.0), ("uncertainty", 0.5)];
        assert_eq!(sums.losses().collect::<Vec<_>>(), means);
    }
}
