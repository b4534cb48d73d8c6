//! From a tree to the types of the scenario model. Whatever does not fit is told with the place of
//! the value that does not.

use super::placed::MARKER;
use super::{Mark, Node, Value, node::Plain};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use std::fmt;

/// Reads `node` as a `T`.
pub(in crate::scenario) fn read<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Mistake> {
    T::deserialize(Reader(node)).map_err(|mistake| mistake.at(node.mark))
}

/// Something that does not fit, and where.
#[derive(Debug)]
pub(in crate::scenario) struct Mistake {
    pub mark: Option<Mark>,
    pub problem: String,
}

impl Mistake {
    /// The innermost place is the one that helps.
    fn at(self, mark: Mark) -> Self {
        Self { mark: self.mark.or(Some(mark)), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self { mark: None, problem: problem.to_string() }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("unknown field `{field}`, expected {}", one_of(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("`{variant}` is not known here; expected {}", one_of(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("`{field}` is missing here"))
    }

    fn invalid_type(came: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("{} stands here; expected {}", in_words(came), wanted(expected)))
    }

    fn invalid_value(came: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("{} stands here; expected {}", in_words(came), wanted(expected)))
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [name] => (*name).to_owned(),
        _ => format!("one of {}", names.join(", ")),
    }
}

/// Serde speaks of maps and sequences as Rust has them; people write YAML.
fn in_words(came: de::Unexpected<'_>) -> String {
    match came {
        de::Unexpected::Unit | de::Unexpected::Option => "nothing".to_owned(),
        de::Unexpected::Bool(value) => format!("`{value}`"),
        de::Unexpected::Unsigned(number) => format!("the number {number}"),
        de::Unexpected::Signed(number) => format!("the number {number}"),
        de::Unexpected::Float(number) => format!("the number {number}"),
        de::Unexpected::Str(text) => format!("the text {text:?}"),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// Serde names Rust's types.
fn wanted(expected: &dyn de::Expected) -> String {
    let expected = expected.to_string();
    let most = match expected.as_str() {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" | "usize" => return "a whole number".to_owned(),
        "a boolean" => return "true or false".to_owned(),
        "a sequence" => return "a list".to_owned(),
        "a string" => return "text".to_owned(),
        _ => return expected,
    };
    format!("a whole number from 0 to {most}")
}

#[derive(Clone, Copy)]
struct Reader<'de>(&'de Node);

impl<'de> Reader<'de> {
    fn unexpected(self) -> de::Unexpected<'de> {
        match &self.0.value {
            Value::Null => de::Unexpected::Unit,
            Value::Plain { meaning: Plain::Bool(value), .. } => de::Unexpected::Bool(*value),
            Value::Plain { meaning: Plain::Natural(number), .. } => de::Unexpected::Unsigned(*number),
            Value::Plain { meaning: Plain::Negative(number), .. } => de::Unexpected::Signed(*number),
            Value::Plain { meaning: Plain::Real(number), .. } => de::Unexpected::Float(*number),
            Value::Text(text) => de::Unexpected::Str(text),
            Value::List(_) => de::Unexpected::Seq,
            Value::Map(_) => de::Unexpected::Map,
        }
    }

    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let visited = match &self.0.value {
            Value::Plain { spelling, .. } if begins_with_a_zero(spelling) => Err(de::Error::custom(format!(
                "{spelling} has a zero in front, which some would read as octal; a number begins with another digit"
            ))),
            Value::Plain { meaning: Plain::Natural(number), .. } => visitor.visit_u64(*number),
            Value::Plain { meaning: Plain::Negative(number), .. } => visitor.visit_i64(*number),
            Value::Plain { meaning: Plain::Real(number), .. } => visitor.visit_f64(*number),
            _ => Err(de::Error::invalid_type(self.unexpected(), &"a number")),
        };
        visited.map_err(|mistake: Mistake| mistake.at(self.0.mark))
    }
}

fn begins_with_a_zero(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit())
}

macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            self.number(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let visited = match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Plain { meaning: Plain::Bool(value), .. } => visitor.visit_bool(*value),
            Value::Plain { .. } => self.number(visitor),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
        };
        visited.map_err(|mistake: Mistake| mistake.at(self.0.mark))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let visited = match self.0.text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => Err(de::Error::invalid_type(self.unexpected(), &"text")),
        };
        visited.map_err(|mistake: Mistake| mistake.at(self.0.mark))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let visited = match name {
            MARKER => visitor.visit_seq(WithItsPlace { node: self.0, next: 0 }),
            _ => visitor.visit_newtype_struct(self),
        };
        visited.map_err(|mistake: Mistake| mistake.at(self.0.mark))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let visited = match self.0.text() {
            Some(word) => visitor.visit_enum(Word(word)),
            None => Err(de::Error::invalid_type(self.unexpected(), &"a word")),
        };
        visited.map_err(|mistake: Mistake| mistake.at(self.0.mark))
    }

    /// A list is never taken for a map, whatever the order of its fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.0.value {
            Value::Map(_) => self.deserialize_any(visitor),
            _ => {
                let expected = format!("a map with {}", fields.join(", "));
                let mistake: Mistake = de::Error::invalid_type(self.unexpected(), &expected.as_str());
                Err(mistake.at(self.0.mark))
            }
        }
    }

    numbers! {
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_f32 deserialize_f64
    }

    serde::forward_to_deserialize_any! {
        bool i128 u128 char bytes byte_buf unit unit_struct seq tuple tuple_struct map ignored_any
    }
}

/// One of the words of an enum without contents.
struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Mistake;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Mistake> {
        Ok((seed.deserialize(StrDeserializer::new(self.0))?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Mistake> {
        Err(de::Error::custom(format_args!("`{}` is more than a word", self.0)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Mistake> {
        Err(de::Error::custom(format_args!("`{}` is more than a word", self.0)))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Mistake> {
        Err(de::Error::custom(format_args!("`{}` is more than a word", self.0)))
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Mistake;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mistake> {
        let Some(item) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(item)).map(Some).map_err(|mistake| mistake.at(item.mark))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (Node, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Mistake;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mistake> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Reader(key)).map(Some).map_err(|mistake| mistake.at(key.mark))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mistake> {
        let value = self.value.take().ok_or_else(|| <Mistake as de::Error>::custom("a value is missing"))?;
        seed.deserialize(Reader(value)).map_err(|mistake| mistake.at(value.mark))
    }
}

/// Line, column and value, for [`super::Placed`].
struct WithItsPlace<'de> {
    node: &'de Node,
    next: u8,
}

impl<'de> SeqAccess<'de> for WithItsPlace<'de> {
    type Error = Mistake;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mistake> {
        let part = self.next;
        self.next += 1;
        match part {
            0 => seed.deserialize(self.node.mark.line.into_deserializer()).map(Some),
            1 => seed.deserialize(self.node.mark.column.into_deserializer()).map(Some),
            2 => seed.deserialize(Reader(self.node)).map(Some),
            _ => Ok(None),
        }
    }
}
