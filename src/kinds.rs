//! Open lists: a section of the settings whose `kind` picks one of several implementations of a
//! trait, each in a file of its own with settings of its own. A setting of another kind is an
//! error, not ignored.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Settings by name.
pub type Settings = Map<String, Value>;

/// The key that picks.
pub const KIND: &str = "kind";

/// An enum of one variant a kind, made by `kinds!`.
pub trait Kinds: Default {
    /// All names, as settings files spell them.
    const NAMES: &'static [&'static str];

    /// The name of this one.
    fn name(&self) -> &'static str;

    /// Names of the settings that a kind has for itself; none for a kind that is not there.
    fn settings_of(kind: &str) -> Vec<String>;

    /// All of them.
    fn all() -> Vec<Kind>;

    /// A kind with its own settings, the others at their defaults.
    ///
    /// # Errors
    /// Says which setting is wrong, as `.key: reason`, or that there is no such kind.
    fn with(kind: &str, own: Settings) -> Result<Self, String>;
}

/// What is known of one kind.
#[derive(Clone, Debug)]
pub struct Kind {
    /// As settings files spell it.
    pub name: &'static str,
    /// Its settings as YAML.
    pub defaults: String,
    /// What they mean, as a JSON schema.
    pub schema: Value,
}

impl Kind {
    /// The kind `name`, whose settings are a `T`.
    pub fn of<T: Serialize + Default + JsonSchema>(name: &'static str) -> Self {
        Self {
            name,
            // Settings are numbers, words and lists of them, which cannot fail.
            defaults: serde_yaml::to_string(&T::default()).unwrap_or_default(),
            schema: schemars::schema_for!(T).to_value(),
        }
    }
}

/// Reads a section that holds nothing but `kind` and the settings of that kind. A name alone is
/// that kind with its defaults.
///
/// # Errors
/// As [`Kinds::with`], and for settings of other kinds.
pub fn open<'de, K: Kinds, D: Deserializer<'de>>(from: D) -> Result<K, D::Error> {
    match Value::deserialize(from)? {
        Value::String(kind) => K::with(&kind, Settings::new()),
        Value::Object(all) => split::<K>(all).and_then(Section::with_nothing_else),
        _ => Err("expected a kind, or a mapping with its settings".into()),
    }
    .map_err(D::Error::custom)
}

/// Reads a section `C` that holds settings of every kind beside `kind` and those of that kind;
/// gives the kind and the rest.
///
/// # Errors
/// As [`Kinds::with`], and for settings of other kinds or of none.
pub fn open_section<'de, K: Kinds, C: Serialize + Default, D: Deserializer<'de>>(
    from: D,
) -> Result<(K, Settings), D::Error> {
    let read = |all| {
        let section = split::<K>(all)?;
        section.check_rest::<K, C>()?;
        Ok((K::with(&section.kind, section.own)?, section.rest))
    };
    read(Settings::deserialize(from)?).map_err(|reason: String| D::Error::custom(reason))
}

/// Settings as a `T`, with errors as [`Kinds::with`] words them.
///
/// # Errors
/// As `.key: reason`.
pub fn typed<T: DeserializeOwned>(settings: Settings) -> Result<T, String> {
    typed_by(settings, |from| T::deserialize(from))
}

/// [`typed`] by a function.
///
/// # Errors
/// As `.key: reason`.
pub fn typed_by<T>(
    settings: Settings,
    read: impl for<'a, 'b> FnOnce(
        serde_path_to_error::Deserializer<'a, 'b, Value>,
    ) -> Result<T, serde_json::Error>,
) -> Result<T, String> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(Value::Object(settings), &mut track);
    read(tracked).map_err(|reason| match track.path().to_string().as_str() {
        "." => reason.to_string(),
        path => format!(".{path}: {reason}"),
    })
}

/// A section, sorted.
struct Section {
    kind: String,
    own: Settings,
    rest: Settings,
}

impl Section {
    fn with_nothing_else<K: Kinds>(mut self) -> Result<K, String> {
        // Whatever is left is unknown to the kind, which says so.
        self.own.append(&mut self.rest);
        K::with(&self.kind, self.own)
    }

    /// Whether a `C` has all that is left.
    fn check_rest<K: Kinds, C: Serialize + Default>(&self) -> Result<(), String> {
        let foreign = K::settings_of(K::default().name());
        let mut allowed = K::settings_of(&self.kind);
        allowed.extend(
            names_of::<C>()
                .into_iter()
                .filter(|name| !foreign.contains(name)),
        );
        match self.rest.keys().find(|key| !allowed.contains(key)) {
            None => Ok(()),
            Some(key) => Err(format!(
                ".{key}: unknown field `{key}`, expected one of {}",
                list(&allowed)
            )),
        }
    }
}

fn split<K: Kinds>(mut all: Settings) -> Result<Section, String> {
    let kind = match all.remove(KIND) {
        None => K::default().name().to_owned(),
        Some(Value::String(kind)) if K::NAMES.contains(&kind.as_str()) => kind,
        Some(Value::String(kind)) => return Err(format!(".{KIND}: {}", unknown::<K>(&kind))),
        Some(other) => return Err(format!(".{KIND}: {}", unknown::<K>(&other.to_string()))),
    };
    let names = K::settings_of(&kind);
    let (own, rest) = all
        .into_iter()
        .partition::<Settings, _>(|(key, _)| names.contains(key));
    for key in rest.keys() {
        let owners: Vec<&str> = K::NAMES
            .iter()
            .copied()
            .filter(|kind| K::settings_of(kind).contains(key))
            .collect();
        if !owners.is_empty() {
            let owners = owners.join(", ");
            return Err(format!(".{key}: is a setting of {owners}, not of {kind}"));
        }
    }
    Ok(Section { kind, own, rest })
}

/// Says that there is no such kind, and which there are.
pub fn unknown<K: Kinds>(kind: &str) -> String {
    format!("unknown kind `{kind}`, expected one of {}", list(K::NAMES))
}

fn list(names: &[impl Display]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Names of the settings of a `T`.
pub fn names_of<T: Serialize + Default>() -> Vec<String> {
    match serde_json::to_value(T::default()) {
        Ok(Value::Object(settings)) => settings.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}

/// An enum over settings of one trait, which it gives as a trait object: an open list.
///
/// `Name as accessor -> Trait { "kind" => Settings, .. }`: every `Settings` is `Default`,
/// `Serialize`, `Deserialize` (with `default` and `deny_unknown_fields`), `JsonSchema` and implements
/// `Trait`.
macro_rules! kinds {
    (
        $(#[$meta:meta])*
        $name:ident as $accessor:ident -> $behaviour:path {
            $($kind:literal => $settings:ident),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(tag = "kind")]
        pub enum $name {
            $(
                #[doc = concat!("`", $kind, "`")]
                #[serde(rename = $kind)]
                $settings($settings),
            )+
        }

        impl $name {
            /// What this kind does.
            pub fn $accessor(&self) -> &dyn $behaviour {
                match self {
                    $(Self::$settings(settings) => settings,)+
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::kinds::open(from)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            /// Open: what there is depends on the kind, see [`Kinds::all`]($crate::kinds::Kinds::all).
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "object"})
            }
        }

        impl $crate::kinds::Kinds for $name {
            const NAMES: &'static [&'static str] = &[$($kind),+];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$settings(_) => $kind,)+
                }
            }

            fn settings_of(kind: &str) -> Vec<String> {
                match kind {
                    $($kind => $crate::kinds::names_of::<$settings>(),)+
                    _ => Vec::new(),
                }
            }

            fn all() -> Vec<$crate::kinds::Kind> {
                vec![$($crate::kinds::Kind::of::<$settings>($kind)),+]
            }

            fn with(kind: &str, own: $crate::kinds::Settings) -> Result<Self, String> {
                match kind {
                    $($kind => $crate::kinds::typed(own).map(Self::$settings),)+
                    _ => Err($crate::kinds::unknown::<Self>(kind)),
                }
            }
        }
    };
}

/// Reads and writes a section that holds settings of every kind beside `kind` and those of that kind.
/// The struct derives both with `#[serde(default, deny_unknown_fields, remote = "Self")]` and has
/// `#[serde(flatten, skip_deserializing)] kind`: what is derived is about the settings of every kind, to
/// which this adds the others.
macro_rules! section {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let (kind, rest) = $crate::kinds::open_section::<_, Self, _>(from)?;
                let common = $crate::kinds::typed_by(rest, |from| Self::deserialize(from));
                let common = common.map_err(serde::de::Error::custom)?;
                Ok(Self { kind, ..common })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, to)
            }
        }
    };
}

pub(crate) use {kinds, section};
