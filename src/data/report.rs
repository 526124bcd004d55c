//! What was found in the lists, and what was left out.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Examples kept for each reason.
const EXAMPLES: usize = 5;

/// Why something was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A line that is not what the format asks for.
    Malformed,
    /// Too many or too few numbers, faces or points.
    WrongCount,
    /// NaN or an infinite number.
    NotFinite,
    /// A photo named twice in a list that names each photo once.
    Duplicate,
    /// The photo is not there.
    MissingPhoto,
    /// The photo is there but cannot be read.
    BrokenPhoto,
    /// A file of points that cannot be read, or a folder that cannot be listed.
    Unreadable,
    /// A box or point that does not fit its photo.
    Outside,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed",
            Self::WrongCount => "wrong count",
            Self::NotFinite => "number not finite",
            Self::Duplicate => "photo named twice",
            Self::MissingPhoto => "photo missing",
            Self::BrokenPhoto => "photo broken",
            Self::Unreadable => "file unreadable",
            Self::Outside => "label outside its photo",
        })
    }
}

/// How much was left out for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// How often.
    pub count: usize,
    /// The first few messages.
    pub examples: Vec<String>,
}

/// What loading the sources found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Left out (`data.on_error: skip`), by reason.
    pub skipped: BTreeMap<Reason, Skipped>,
    /// Other things worth knowing, such as faces that a list leaves out.
    pub notes: Vec<String>,
    /// The first message of all.
    #[serde(skip)]
    first: Option<String>,
}

impl Report {
    /// Count one thing that was left out.
    pub fn skip(&mut self, reason: Reason, message: String) {
        self.first.get_or_insert_with(|| message.clone());
        let entry = self.skipped.entry(reason).or_default();
        entry.count += 1;
        if entry.examples.len() < EXAMPLES {
            entry.examples.push(message);
        }
    }

    /// What was left out first.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Add what another report holds.
    pub fn absorb(&mut self, other: Self) {
        for (reason, skipped) in other.skipped {
            let own = self.skipped.entry(reason).or_default();
            own.count += skipped.count;
            own.examples.extend(skipped.examples);
            own.examples.truncate(EXAMPLES);
        }
        self.notes.extend(other.notes);
        self.first = self.first.take().or(other.first);
    }

    /// How much was left out for `reason`.
    pub fn count(&self, reason: Reason) -> usize {
        self.skipped.get(&reason).map_or(0, |s| s.count)
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.skipped.is_empty() && self.notes.is_empty()
    }

    /// Everything that was left out.
    pub fn total(&self) -> usize {
        self.skipped.values().map(|s| s.count).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        if self.skipped.is_empty() {
            return writeln!(f, "nothing skipped");
        }
        for (reason, skipped) in &self.skipped {
            writeln!(f, "skipped, {reason}: {}", skipped.count)?;
            for example in &skipped.examples {
                writeln!(f, "    {example}")?;
            }
        }
        Ok(())
    }
}
