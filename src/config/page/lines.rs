//! Lines of a settings file, with comments beside them.

use std::mem::take;

use anyhow::Result;
use serde_yaml::Value;

/// Column at which comments begin.
const COMMENTS: usize = 31;
/// Least width of a comment beside a setting, however long that is.
const LEAST_WIDTH: usize = 40;
/// Longest line with a comment, and longest line that is one.
const WIDTH: usize = 118;
const REMARK_WIDTH: usize = 100;

/// A file in the making.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    /// What each line begins with.
    prefix: String,
    /// Whether the next setting is the first one of an item.
    item: bool,
}

impl Lines {
    /// A comment of its own.
    pub(super) fn remark(&mut self, text: &str) {
        for line in wrapped(text, REMARK_WIDTH - 2) {
            self.line(&format!("# {line}"));
        }
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.line("");
    }

    /// What `write` writes, with `more` before each line.
    ///
    /// # Errors
    /// That of `write`.
    pub(super) fn indented(
        &mut self,
        more: &str,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let before = self.prefix.len();
        self.prefix.push_str(more);
        let written = write(self);
        self.prefix.truncate(before);
        written
    }

    /// What `write` writes as an item of a list.
    ///
    /// # Errors
    /// That of `write`.
    pub(super) fn item(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.item = true;
        self.indented("  ", write)
    }

    /// A setting with its value, unless it is a section, and a comment beside it.
    ///
    /// # Errors
    /// When the value is no YAML.
    pub(super) fn setting(
        &mut self,
        key: &str,
        value: Option<&Value>,
        comment: &str,
    ) -> Result<()> {
        let start = match (take(&mut self.item), self.prefix.strip_suffix("  ")) {
            (true, Some(before)) => format!("{before}- "),
            _ => self.prefix.clone(),
        };
        let mut line = format!("{start}{key}:");
        if let Some(value) = value {
            line.push(' ');
            line.push_str(&flow(value)?);
        }
        if comment.is_empty() {
            self.line(&line);
            return Ok(());
        }
        let column = COMMENTS.max(line.chars().count() + 2);
        for comment in wrapped(comment, WIDTH.saturating_sub(column + 2).max(LEAST_WIDTH)) {
            self.line(&format!("{line:column$}# {comment}"));
            line = self.prefix.trim_end().to_owned();
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The file.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Words in lines of at most `width` characters, or of one longer word.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A value on one line.
fn flow(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Sequence(items) => {
            let items: Result<Vec<String>> = items.iter().map(flow).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Mapping(fields) => {
            let field = |(key, value)| Ok(format!("{}: {}", flow(key)?, flow(value)?));
            let fields: Result<Vec<String>> = fields.iter().map(field).collect();
            format!("{{{}}}", fields?.join(", "))
        }
        scalar => serde_yaml::to_string(scalar)?.trim_end().to_owned(),
    })
}
