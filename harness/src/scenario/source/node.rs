//! A YAML value of any form, with its place.

use super::Mark;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::Range;
use vmyna_sim::document::Spanned;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Node {
    pub mark: Mark,
    /// the bytes of the file that it was read from
    bytes: Range<usize>,
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Value {
    /// nothing, `null` or `~`
    Null,
    /// written without quotes, and something else than text; `spelling` is how it was written
    Plain {
        meaning: Plain,
        spelling: String,
    },
    Text(String),
    List(Vec<Node>),
    /// keys in their order; none is there twice
    Map(Vec<(Node, Node)>),
}

/// What unquoted words can mean besides text.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) enum Plain {
    Bool(bool),
    Natural(u64),
    Negative(i64),
    Real(f64),
}

impl Node {
    /// Keeps how numbers and such were written: `00200080` without quotes may be meant as bytes.
    pub(super) fn remember_spelling(&mut self, text: &str) {
        match &mut self.value {
            Value::Plain { spelling, .. } => {
                *spelling = text.get(self.bytes.clone()).unwrap_or_default().trim().to_owned();
            }
            Value::List(items) => items.iter_mut().for_each(|item| item.remember_spelling(text)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.remember_spelling(text)),
            Value::Null | Value::Text(_) => {}
        }
    }

    /// The text of this node, also where it was written without quotes and could mean a number.
    pub(in crate::scenario) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Plain { spelling, .. } => Some(spelling),
            _ => None,
        }
    }

    /// The value under `key`, where this node is a map that has it.
    pub(in crate::scenario) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Another value in the place of this one.
    pub(in crate::scenario) fn with(&self, value: Value) -> Self {
        Self { mark: self.mark, bytes: self.bytes.clone(), value }
    }

    /// Takes `key` and its value out of a map.
    pub(in crate::scenario) fn take(&mut self, key: &str) -> Option<Self> {
        match &mut self.value {
            Value::Map(entries) => {
                let at = entries.iter().position(|(name, _)| name.text() == Some(key))?;
                Some(entries.remove(at).1)
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let (at, defined) = (spanned.referenced, spanned.defined.span());
        let start = defined.byte_offset().unwrap_or_default();
        let end = start.saturating_add(defined.byte_len().unwrap_or_default());
        let number = |number: u64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Ok(Self {
            mark: Mark { line: number(at.line()), column: number(at.column()) },
            bytes: usize::try_from(start).unwrap_or_default()..usize::try_from(end).unwrap_or_default(),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

fn plain(meaning: Plain) -> Value {
    Value::Plain { meaning, spelling: String::new() }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(plain(Plain::Bool(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(plain(Plain::Natural(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(plain(u64::try_from(value).map_or(Plain::Negative(value), Plain::Natural)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(plain(Plain::Real(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<Spanned<String>, Node>()? {
            let (key, value) = entry;
            let number = |number: u64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
            let mark = Mark { line: number(key.referenced.line()), column: number(key.referenced.column()) };
            entries.push((Node { mark, bytes: 0..0, value: Value::Text(key.value) }, value));
        }
        Ok(Value::Map(entries))
    }
}
