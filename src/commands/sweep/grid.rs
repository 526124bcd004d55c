//! Combinations of settings.

use anyhow::{Result, ensure};

/// A setting and the values to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The setting.
    pub key: String,
    /// As they stand behind `--set KEY=`.
    pub values: Vec<String>,
}

impl Axis {
    /// From `KEY=VALUE,VALUE`. Commas within brackets or quotes belong to a value.
    ///
    /// # Errors
    /// When the text is not of this form, or a value stands there twice.
    pub fn parse(text: &str) -> Result<Self> {
        let (key, rest) = text.split_once('=').unwrap_or((text, ""));
        let values = split(rest);
        ensure!(
            !key.is_empty() && values.iter().all(|value| !value.is_empty()),
            "--grid {text}: expected KEY=VALUE,VALUE..."
        );
        for (at, value) in values.iter().enumerate() {
            ensure!(
                !values[..at].contains(value),
                "--grid {text}: {value} stands there twice"
            );
        }
        Ok(Self {
            key: key.to_owned(),
            values,
        })
    }
}

fn split(text: &str) -> Vec<String> {
    let (mut values, mut depth, mut quote) = (vec![String::new()], 0usize, None);
    for c in text.chars() {
        match c {
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            '[' | '{' if quote.is_none() => depth += 1,
            ']' | '}' if quote.is_none() => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == ',' && depth == 0 && quote.is_none() {
            values.push(String::new());
        } else if let Some(last) = values.last_mut() {
            last.push(c);
        }
    }
    values
}

/// One of each axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination(pub Vec<(String, String)>);

impl Combination {
    /// All of them, the last axis changing first.
    pub fn all(axes: &[Axis]) -> Vec<Self> {
        axes.iter().fold(vec![Self(Vec::new())], |known, axis| {
            let longer = |old: &Self| {
                let with = |value: &String| {
                    let mut pairs = old.0.clone();
                    pairs.push((axis.key.clone(), value.clone()));
                    Self(pairs)
                };
                axis.values.iter().map(with).collect::<Vec<_>>()
            };
            known.iter().flat_map(longer).collect()
        })
    }

    /// As `--set` takes them.
    pub fn sets(&self) -> Vec<String> {
        let pairs = self.0.iter();
        pairs.map(|(key, value)| format!("{key}={value}")).collect()
    }

    /// The name of its folder: what file systems do not like is left out.
    pub fn name(&self) -> String {
        let likes = |c: char| c.is_ascii_alphanumeric() || "=.,+-_".contains(c);
        let name = self.sets().join(",");
        name.chars()
            .map(|c| if likes(c) { c } else { '_' })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_combinations_in_order() {
        let axes = ["a.b=1,2", "c=[1, 2],'x,y'"].map(|text| Axis::parse(text).unwrap());
        assert_eq!(axes[1].values, ["[1, 2]", "'x,y'"]);
        let names: Vec<String> = Combination::all(&axes)
            .iter()
            .map(Combination::name)
            .collect();
        assert_eq!(
            names,
            [
                "a.b=1,c=_1,_2_",
                "a.b=1,c=_x,y_",
                "a.b=2,c=_1,_2_",
                "a.b=2,c=_x,y_"
            ]
        );
        assert_eq!(Combination::all(&axes)[1].sets(), ["a.b=1", "c='x,y'"]);
    }

    #[test]
    fn what_is_no_grid_is_an_error() {
        for text in ["a", "a=", "=1", "a=1,,2", "a=1,1"] {
            assert!(Axis::parse(text).is_err(), "{text}");
        }
    }
}
