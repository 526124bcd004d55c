//! What the documentation of a setting says, out of the JSON schema that is derived from it.

use schemars::JsonSchema;
use serde_json::Value;

/// A setting or a section in a schema.
pub(super) struct Described {
    /// What `$ref` refers to.
    root: Value,
    at: Value,
}

impl Described {
    /// Everything in a `T`.
    pub(super) fn of<T: JsonSchema>() -> Self {
        Self::new(schemars::schema_for!(T).as_value())
    }

    /// Everything in what `schema` describes.
    pub(super) fn new(schema: &Value) -> Self {
        Self {
            root: schema.clone(),
            at: schema.clone(),
        }
    }

    fn there(&self, at: &Value) -> Self {
        Self {
            root: self.root.clone(),
            at: at.clone(),
        }
    }

    /// The setting `key` of this section.
    pub(super) fn setting(&self, key: &str) -> Self {
        self.there(&self.target()["properties"][key])
    }

    /// An item of this list.
    pub(super) fn items(&self) -> Self {
        self.there(&self.target()["items"])
    }

    /// The type, where a setting has its own words for it, or may be null.
    fn target(&self) -> &Value {
        let mut at = &self.at;
        loop {
            let options = at["anyOf"].as_array().map(Vec::as_slice);
            at = match (at["$ref"].as_str(), options) {
                (Some(path), _) => match self.root.pointer(path.trim_start_matches('#')) {
                    Some(target) => target,
                    None => return at,
                },
                (None, Some([some, null])) if null["type"] == "null" => some,
                _ => return at,
            };
        }
    }

    /// The parts of its documentation, code left out.
    pub(super) fn paragraphs(&self) -> impl Iterator<Item = String> {
        let text = self.at["description"].as_str().unwrap_or_default();
        let paragraphs = text.split("\n\n").filter(|part| !part.starts_with("```"));
        paragraphs.map(|part| part.replace('\n', " ").replace('`', ""))
    }

    /// The code in its documentation.
    pub(super) fn example(&self) -> Option<String> {
        let text = self.at["description"].as_str()?;
        let (_, code) = text.split_once("```yaml\n")?;
        Some(code.split("```").next()?.to_owned())
    }

    /// What it may be, where that is a list, and its first paragraph as the end of a line.
    pub(super) fn comment(&self) -> String {
        let text = self.paragraphs().next().unwrap_or_default();
        let text = without_capital(text.trim_end_matches(['.', ':']));
        let allowed = self.allowed().join(" | ");
        match (allowed.is_empty(), text.is_empty()) {
            (true, _) => text,
            (false, true) => allowed,
            (false, false) => format!("{allowed}: {text}"),
        }
    }

    fn allowed(&self) -> Vec<&str> {
        let options = self.target()["oneOf"].as_array().into_iter().flatten();
        options
            .filter_map(|option| option["const"].as_str())
            .collect()
    }
}

/// The text with a small first letter, unless its first word has other capitals or digits.
fn without_capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    let word = letters.as_str().split(' ').next().unwrap_or_default();
    match first {
        Some(first) if !word.contains(|c: char| c.is_uppercase() || c.is_numeric()) => {
            format!("{}{}", first.to_lowercase(), letters.as_str())
        }
        _ => text.to_owned(),
    }
}
