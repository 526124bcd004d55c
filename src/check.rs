//! Collects what is wrong with the values of settings.

use std::fmt::Display;

use anyhow::{Result, bail};

/// What is wrong with values of settings, each problem with its key and what is allowed.
#[derive(Debug, Default)]
pub struct Check {
    problems: Vec<String>,
}

impl Check {
    pub(crate) fn problem(&mut self, key: &str, message: &str) {
        self.problems.push(format!("{key}: {message}"));
    }

    pub(crate) fn ensure(&mut self, ok: bool, key: &str, message: &str) {
        if !ok {
            self.problem(key, message);
        }
    }

    /// NaN is never between.
    pub(crate) fn between<T: PartialOrd + Display + Copy>(
        &mut self,
        key: &str,
        value: T,
        low: T,
        high: T,
    ) {
        if !(low..=high).contains(&value) {
            self.problem(key, &format!("must be from {low} to {high}, is {value}"));
        }
    }

    /// In the half-open range `low..high`.
    pub(crate) fn below<T: PartialOrd + Display + Copy>(
        &mut self,
        key: &str,
        value: T,
        low: T,
        high: T,
    ) {
        if !(low..high).contains(&value) {
            self.problem(
                key,
                &format!("must be at least {low} and below {high}, is {value}"),
            );
        }
    }

    /// Above zero, and no more than `high`.
    pub(crate) fn positive<T: PartialOrd + Display + Default + Copy>(
        &mut self,
        key: &str,
        value: T,
        high: T,
    ) {
        if !(value > T::default() && value <= high) {
            self.problem(
                key,
                &format!("must be above 0 and at most {high}, is {value}"),
            );
        }
    }

    /// Two finite values of `low..=high`, the second no smaller than the first.
    pub(crate) fn range<T: PartialOrd + Display + Copy>(
        &mut self,
        key: &str,
        [from, to]: [T; 2],
        low: T,
        high: T,
    ) {
        if !(low <= from && from <= to && to <= high) {
            self.problem(
                key,
                &format!("must be two rising values from {low} to {high}, is [{from}, {to}]"),
            );
        }
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self.problems.as_slice() {
            [] => Ok(()),
            [one] => bail!("configuration: {one}"),
            many => bail!("configuration:\n  {}", many.join("\n  ")),
        }
    }
}
